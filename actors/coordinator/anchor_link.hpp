#pragma once
// AnchorLink: the coordinator's side of the anchor. It asks for processes and reads what became of them. One thread.

#include <string>
#include <utility>
#include <vector>

#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/unique_fd.hpp>
#include "actors/coordinator/anchor_table.hpp"
#include "runtime/process/child.hpp"

namespace baton::detail::coordinator {

// Number and life of the scenario, which is not an actor.
inline constexpr std::uint32_t scenario_number = 0;

// Why a coordinator of this program cannot follow those of an anchor with that AnchorTable::version.
[[nodiscard]] Error other_anchor(std::uint64_t version);

class AnchorLink {
public:
    // As the anchor has started this process; `gone` if it was not, or if the anchor has ended; `corrupt` if it is of
    // another version.
    [[nodiscard]] static Result<AnchorLink> open();
    AnchorLink(AnchorLink&& other) noexcept;
    AnchorLink& operator=(AnchorLink&&) = delete;
    ~AnchorLink();

    // What the anchor is to start, later: news() says whether it could. `refused` if it cannot be said, `overloaded` if
    // too much of what was asked before is still waiting for the anchor.
    [[nodiscard]] Result<void> spawn(std::uint32_t number, ActorId life, const ChildSpec& spec);
    // The session can be joined; or it cannot, for the one that has started it, in one line.
    void say_ready() { say(AnchorRequest::ready, {}); }
    void say_failed(std::string_view line) { say(AnchorRequest::failed, line); }
    // True if requests wait for room: then flush() when requests_descriptor() can be written.
    [[nodiscard]] bool is_behind() const noexcept { return !waiting_.empty(); }
    void flush() noexcept;
    [[nodiscard]] int requests_descriptor() const noexcept { return requests_.get(); }

    // Readable when there is news, until take_news().
    [[nodiscard]] int news_descriptor() const noexcept { return news_.get(); }
    // The numbers of those whose state has changed.
    [[nodiscard]] std::vector<std::uint32_t> take_news();

    // What became of the process that was asked for last with that number.
    struct Process {
        AnchorRow::State state = AnchorRow::none;
        ActorId life;
        pid_t pid = 0;
        int code = 0;  // `failed`: the errno
        ExitStatus exit;
    };
    [[nodiscard]] Process process(std::uint32_t number) const noexcept;
    // Its pidfd, as long as it runs; not open if it does not, or if no descriptor is left.
    [[nodiscard]] UniqueFd pidfd_of(std::uint32_t number) const;

    // SIGINT, SIGTERM and SIGHUP that the anchor has got.
    [[nodiscard]] std::uint64_t stop_signals() const noexcept;
    // Exits of the anchor's children, orphans of actors among them.
    [[nodiscard]] std::uint64_t exits() const noexcept;
    [[nodiscard]] pid_t anchor() const noexcept;
    // How many coordinators the session has had, this one included: no two have the same number.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

private:
    AnchorLink(const AnchorTable& table, std::atomic<std::uint64_t>* news_words, UniqueFd requests, UniqueFd news)
        : table_(&table), news_words_(news_words), requests_(std::move(requests)), news_(std::move(news)) {}
    void say(AnchorRequest::Kind kind, std::string_view text);
    void send(std::string_view bytes);
    const AnchorTable* table_;
    std::atomic<std::uint64_t>* news_words_;
    UniqueFd requests_;
    UniqueFd news_;
    std::uint64_t generation_ = table_->coordinators.load(std::memory_order_relaxed);
    std::string waiting_;
};

}  // namespace baton::detail::coordinator
