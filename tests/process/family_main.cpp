// The actor of the tests of heirs. Arguments: "declines": it takes no inheritance; "crash-at=NAME[:NTH[:freeze]]":
// where it ends; "wants=LABEL": what it asks for before it is ready, and keeps.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <baton/actor.hpp>
#include "tests/process/family.hpp"

namespace {

using namespace family;

class Relative {
public:
    explicit Relative(baton::Context& context) : context_(&context) {
        bool declines = false;
        for (const std::string& argument : context.arguments()) {
            declines = declines || argument == "declines";
            if (argument.starts_with("wants="))
                if (auto came = context.inherited(argument.substr(6)); came) keep(std::move(*came));
        }
        if (!declines) context.on_inherited([this](baton::Inherited came) { keep(std::move(came)); });
        context.on_bounced([this](baton::Bounced<Take> back) {
            kept_.push_back({back.command.label, std::move(back.command.item), {}, false, ""});
        });
    }

    std::string on(const Own& command) {
        auto made = context_->create_array<std::int64_t>({elements});
        if (!made) return made.error().text;
        std::ranges::fill(made->as<std::int64_t>(), command.value);
        std::vector<baton::Segment::Heir> heirs{command.heirs.begin(), command.heirs.end()};
        if (command.next_life) heirs.push_back(baton::Segment::Heir::next_life());
        const baton::Result<void> named = made->name_heirs(heirs, command.label);
        kept_.push_back({command.label, std::move(*made), {}, false, ""});
        return named ? "" : named.error().text;
    }
    std::string on(const Rename& command) {
        Kept* const kept = find(command.label);
        if (kept == nullptr) return "nothing is called so";
        const std::vector<baton::Segment::Heir> heirs{command.heirs.begin(), command.heirs.end()};
        const baton::Result<void> named = kept->loan ? kept->loan.name_heirs(heirs, command.label)
                                                     : kept->segment.name_heirs(heirs, command.label);
        return named ? "" : named.error().text;
    }
    std::string on(const Lend& command) {
        Kept* const kept = find(command.label);
        if (kept == nullptr) return "nothing is called so";
        auto lent = context_->lend(std::move(kept->segment));
        if (!lent) return lent.error().text;
        kept->loan = std::move(*lent);
        auto lease = kept->loan.lease();
        if (!lease) return lease.error().text;
        const baton::Result<void> sent = context_->send(command.to, Hold{std::move(*lease)});
        return sent ? "" : sent.error().text;
    }
    std::string on(const GiveTo& command) {
        Kept* const kept = find(command.label);
        if (kept == nullptr) return "nothing is called so";
        const baton::Result<void> sent = context_->send(command.to, Take{command.label, std::move(kept->segment)});
        if (!sent) return sent.error().text;
        std::erase_if(kept_, [&](const Kept& one) { return one.label == command.label; });
        return "";
    }
    void on(Take command) { kept_.push_back({command.label, std::move(command.item), {}, false, ""}); }
    void on(Hold command) { leases_.push_back(std::move(command.item)); }
    std::int64_t on(const Read&) { return leases_.empty() ? -1 : leases_.front().as<std::int64_t>().back(); }
    std::uint64_t on(const LetGo&) {
        const std::uint64_t count = kept_.size() + leases_.size();
        kept_.clear();
        leases_.clear();
        return count;
    }
    std::vector<Item> on(const Has&) {
        std::vector<Item> items;
        for (Kept& kept : kept_) {
            Item item{kept.label, 0, false, kept.was_written, kept.owner};
            if (kept.segment) {
                const std::span<const std::int64_t> all = kept.segment.as<std::int64_t>();
                item.value = all.empty() ? -1 : all.front();
                item.is_whole = all.size() == elements && std::ranges::all_of(all, [&](std::int64_t one) {
                    return one == item.value;
                });
            }
            items.push_back(std::move(item));
        }
        return items;
    }
    void on(const StopSelf&) { context_->stop(); }

private:
    struct Kept {
        std::string label;
        baton::Segment segment;
        baton::Loan loan;  // of it, once it is lent
        bool was_written = false;
        std::string owner;
    };
    void keep(baton::Inherited came) {
        kept_.push_back({came.label, std::move(came.segment), {}, came.was_written, came.owner_name});
    }
    Kept* find(const std::string& label) {
        const auto found = std::ranges::find(kept_, label, &Kept::label);
        return found == kept_.end() ? nullptr : &*found;
    }

    baton::Context* context_;
    std::vector<Kept> kept_;
    std::vector<baton::Lease> leases_;
};

}  // namespace

int main(int argc, char** argv) {
    constexpr std::string_view option = "crash-at=";
    for (int index = 1; index < argc; ++index)
        if (std::string_view(argv[index]).starts_with(option))
            ::setenv("BATON_CRASH_AT", argv[index] + option.size(), 1);
    return baton::run_actor<Relative, Protocol>(argc, argv);
}
