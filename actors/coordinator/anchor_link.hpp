#pragma once
// AnchorLink: the coordinator's side of the anchor. It asks for processes and reads what became of them; all else it
// asks of the kernel. One thread.

#include <string>
#include <utility>
#include <vector>

#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/unique_fd.hpp>
#include "actors/coordinator/processes.hpp"

namespace baton::detail::coordinator {

// Why a coordinator of this program cannot follow those of an anchor with that AnchorTable::version.
[[nodiscard]] Error other_anchor(std::uint64_t version);

class AnchorLink final : public Processes {
public:
    // As the anchor has started this process; `gone` if it was not, or if the anchor has ended; `corrupt` if it is of
    // another version.
    [[nodiscard]] static Result<AnchorLink> open();
    AnchorLink(AnchorLink&& other) noexcept;
    AnchorLink& operator=(AnchorLink&&) = delete;
    ~AnchorLink() override;

    [[nodiscard]] Result<void> spawn(std::uint32_t number, ActorId life, const ChildSpec& spec) override;
    // The session can be joined; or it cannot, for the one that has started it, in one line.
    void say_ready() { say(AnchorRequest::ready, {}); }
    void say_failed(std::string_view line) { say(AnchorRequest::failed, line); }
    [[nodiscard]] bool is_behind() const noexcept override { return !waiting_.empty(); }
    void flush() noexcept override;
    [[nodiscard]] int requests_descriptor() const noexcept override { return requests_.get(); }
    [[nodiscard]] int news_descriptor() const noexcept override { return news_.get(); }
    [[nodiscard]] std::vector<std::uint32_t> take_news() override;
    [[nodiscard]] Process process(std::uint32_t number) const noexcept override;
    [[nodiscard]] ProcessHandle handle_of(std::uint32_t number) const override;

    [[nodiscard]] Result<ProcessHandle> open(pid_t pid) const override;
    [[nodiscard]] std::optional<std::uint64_t> start_ticks(pid_t pid) const override;
    [[nodiscard]] Result<void> signal(int end, int number) const override;
    [[nodiscard]] pid_t own_pid() const noexcept override;

    [[nodiscard]] std::uint64_t stop_signals() const noexcept override;
    [[nodiscard]] std::uint64_t exits() const noexcept override;
    [[nodiscard]] pid_t anchor() const noexcept override;
    [[nodiscard]] std::uint64_t generation() const noexcept override { return generation_; }

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
