#include "actors/word_counter/word_counter.hpp"
#include "actors/word_counter/word_table.hpp"
#include <baton/actor.hpp>

namespace {

// Pages stay well below the limit of a message.
constexpr std::size_t page_words_max = 20'000;
constexpr std::size_t page_bytes_max = baton::limits::message_bytes_max / 2;

class WordCounter {
public:
    explicit WordCounter(baton::Context&) {}

    baton::Result<word_counter::Totals> on(const word_counter::CountRange& range) {
        return table_.count(range.path, range.begin, range.end);
    }

    word_counter::Page on(const word_counter::ReadPage& command) {
        return table_.page(command.after, page_words_max, page_bytes_max);
    }

private:
    word_counter::WordTable table_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<WordCounter, word_counter::Protocol>(argc, argv); }
