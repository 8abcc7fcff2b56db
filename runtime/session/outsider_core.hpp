#pragma once
// OutsiderCore: the session behind an Outsider, and what its pendings and answers refer to. They hold it weakly, since
// they may outlive it. One thread, the session's.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <baton/outsider.hpp>
#include "runtime/inbox/gifts.hpp"
#include "runtime/process/signals.hpp"
#include "runtime/session/session.hpp"

namespace baton::dynamic {

// The types of the parcels, by which a command that came back is told from a reply.
inline constexpr std::string_view command_parcel = "dynamic command";
inline constexpr std::string_view reply_parcel = "dynamic reply";

struct OutsiderCore {
    OutsiderCore() = default;
    ~OutsiderCore();
    OutsiderCore(const OutsiderCore&) = delete;
    OutsiderCore& operator=(const OutsiderCore&) = delete;

    [[nodiscard]] detail::Loop& loop() const noexcept { return session->loop(); }
    // The answer that is owed, until it is given or dropped; returns its key.
    [[nodiscard]] std::uint64_t keep(detail::AnswerSlot slot);
    // One value that starts at `offset`, with the memory that came with it. Without a type: as bytes say it.
    [[nodiscard]] Result<Value> read(const Type* type, std::string_view bytes, std::size_t offset,
                                     detail::Arrivals* arrivals) const;
    // Commands to this member wait.
    [[nodiscard]] Result<void> wait_for(const std::function<bool()>& done, Within within);

    std::shared_ptr<detail::Holdings> holdings;
    std::unique_ptr<detail::Session> session;
    std::optional<detail::StopSignals> signals;  // ends before the session whose loop watches it
    bool was_interrupted = false;
    std::shared_ptr<const Protocol> protocol;  // that this member has published; nullptr: none
    std::map<std::uint64_t, detail::AnswerSlot> answers;
    std::uint64_t last_answer = 0;
    std::vector<detail::Bounce> bounces;  // that have come back and that no call has returned yet
};

[[nodiscard]] Error no_reply(std::string_view command);

}  // namespace baton::dynamic
