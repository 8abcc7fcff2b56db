// The processes of a session, as its anchor tells of them: those that it has started and that have ended, the scenario,
// and what actors leave behind. And the signals that the anchor has got.
#include <poll.h>
#include <sys/epoll.h>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/say.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail::coordinator {
namespace {

// Between two looks for processes that actors have left.
constexpr Duration strays_interval = std::chrono::milliseconds{20};

}  // namespace

// What has come since the last look: processes that have been started and ended, and signals that ask for the end.
void Coordinator::look_at_anchor() {
    for (const std::uint32_t number : anchor_->take_news()) {
        if (number == scenario_number) look_at_scenario();
        else look_at_process(number);
    }
    const std::uint64_t stops = anchor_->stop_signals() +
                                (signals_ == nullptr ? 0U : static_cast<std::uint64_t>(signals_->count()));
    if (stops > std::exchange(stops_seen_, stops)) {
        if (anchor_->stop_signals() >= 2) stopping_.hurry();  // not one that somebody has sent to this process, too
        close(setting_.stop_deadline);
        on_deadline();
    }
    if (anchor_->exits() == std::exchange(exits_seen_, anchor_->exits())) return;
    if (next_look_for_strays_.is_never()) next_look_for_strays_ = Deadline{last_look_for_strays_ + strays_interval};
    if (next_look_for_strays_.has_passed(loop_->clock())) look_for_strays();
}

void Coordinator::look_at_process(std::uint32_t number) {
    const Processes::Process process = anchor_->process(number);
    Member* const member = members_.find(process.life);
    if (member == nullptr || member->is_outsider()) return;
    // Both may have happened since the last look.
    const bool has_started = process.state == AnchorRow::running || process.state == AnchorRow::exited;
    if (has_started && member->pid == 0) {
        members_.set_process(*member, process.pid, anchor_->handle_of(number));
        records_->write(*member);
        pass_crash_point(CrashPoint::spawn_started);
        loop_->log().info("actor.spawned", "name={} id={} pid={} program={}", member->name, to_string(member->id),
                          member->pid, member->program);
        answer_spawner(*member);
    }
    if (process.state == AnchorRow::failed) undo_spawn(*member, start_error(process.code, member->program));
    else if (process.state == AnchorRow::exited) settle_exit(*member, process.exit);
}

void Coordinator::look_at_scenario() {
    const Processes::Process process = anchor_->process(scenario_number);
    if (!setting_.scenario || scenario_exit_code_) return;
    if (process.state == AnchorRow::running) {
        scenario_ = anchor_->handle_of(scenario_number);
        if (const int number = std::exchange(scenario_signal_, 0); number != 0) signal_scenario(number);
        return;
    }
    if (process.state == AnchorRow::failed) {
        say(fmt::format("baton-coordinator: {}\n", to_text(start_error(process.code, setting_.scenario->program))));
        scenario_exit_code_ = exit_unavailable;
    } else if (process.state == AnchorRow::exited) {
        scenario_exit_code_ =
            process.exit.by_signal ? 128 + process.exit.code_or_signal : process.exit.code_or_signal;
    } else {
        return;
    }
    records_->header().scenario_exit.store(1 + static_cast<std::uint64_t>(*scenario_exit_code_),
                                           std::memory_order_seq_cst);
    stopping_.exited(Stopping::scenario);
    close(setting_.stop_deadline);
    finish_stops();
}

void Coordinator::signal_scenario(int number) {
    if (scenario_.is_open()) static_cast<void>(scenario_.signal(number));
    else scenario_signal_ = number;
}

// As long as requests wait for room.
void Coordinator::watch_requests() {
    if (anchor_->is_behind() == watches_requests_) return;
    watches_requests_ = anchor_->is_behind();
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.u64 = anchor_has_room;
    ::epoll_ctl(epoll_.get(), watches_requests_ ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, anchor_->requests_descriptor(),
                &event);
}

// A look takes as long as there are children, and many may exit together.
void Coordinator::look_for_strays() {
    next_look_for_strays_ = Deadline::never();
    strays_.look([this](pid_t pid) { return is_own_child(pid); },
                 [this](ActorId actor) { return members_.find(actor) != nullptr; });
    last_look_for_strays_ = loop_->clock().now();
}

bool Coordinator::is_own_child(pid_t pid) const {
    return pid == anchor_->own_pid() || members_.is_child(pid) ||
           (setting_.scenario && !scenario_exit_code_ && anchor_->process(scenario_number).pid == pid);
}

void Coordinator::end_strays() {
    const Deadline deadline = Deadline::in(loop_->clock(), limits::strays_timeout);
    const auto wait_for_exit = [this](Deadline until) {
        pollfd news{anchor_->news_descriptor(), POLLIN, 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until.left(loop_->clock()));
        static_cast<void>(::poll(&news, 1, static_cast<int>(left.count())));
        static_cast<void>(anchor_->take_news());
    };
    if (!strays_.end_all([this](pid_t pid) { return is_own_child(pid); }, deadline, wait_for_exit))
        loop_->log().warn("strays.left", "processes that actors had started were killed and have not ended in {} ms",
                          limits::strays_timeout.count());
}

}  // namespace baton::detail::coordinator
