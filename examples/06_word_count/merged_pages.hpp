#pragma once
// MergedPages: the tables of many word counters as one stream of words in bytewise order, each with its sum.
//
// Reads page by page, so that a vocabulary of any size passes through bounded messages and bounded memory.
// One thread, the scenario's.

#include <optional>
#include <vector>

#include "actors/word_counter/word_counter.hpp"
#include <baton/scenario.hpp>

class MergedPages {
public:
    MergedPages(baton::Scenario& scenario, const std::vector<baton::Ref<word_counter::Protocol>>& counters) {
        for (const auto& counter : counters) sources_.push_back(Source{&scenario, counter, {}, 0});
    }

    // The next word and how often all counters have seen it; nothing at the end. Throws ErrorException if a
    // counter is gone.
    std::optional<word_counter::Entry> next() {
        const word_counter::Entry* first = nullptr;
        for (Source& source : sources_)
            if (const auto* entry = source.front(); entry != nullptr && (first == nullptr || entry->word < first->word))
                first = entry;
        if (first == nullptr) return std::nullopt;
        word_counter::Entry sum{first->word, 0};
        for (Source& source : sources_)
            if (const auto* entry = source.front(); entry != nullptr && entry->word == sum.word) {
                sum.count += entry->count;
                ++source.position;
            }
        return sum;
    }

private:
    struct Source {
        baton::Scenario* scenario;
        baton::Ref<word_counter::Protocol> counter;
        word_counter::Page page;
        std::size_t position;
        bool has_begun = false;

        const word_counter::Entry* front() {
            while (position == page.entries.size()) {
                if (has_begun && page.is_last) return nullptr;
                const std::string after = page.entries.empty() ? "" : page.entries.back().word;
                page = scenario->ask(counter, word_counter::ReadPage{after}, std::chrono::minutes{5});
                position = 0;
                has_begun = true;
            }
            return &page.entries[position];
        }
    };
    std::vector<Source> sources_;
};
