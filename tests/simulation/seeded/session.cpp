#include "tests/simulation/seeded/session.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

#include "runtime/session/environment.hpp"

namespace seeded {
namespace {

bool is_readable(int descriptor) {
    pollfd polled{descriptor, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
}

}  // namespace

// ---- the anchor ------------------------------------------------------------------------------------

Session::Session(Kernel& kernel, Dice& dice, Story& story, Programs programs)
    : kernel_(&kernel),
      dice_(&dice),
      story_(&story),
      programs_(std::move(programs)),
      nudge_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Session::start_coordinator() {
    const std::uint64_t generation = ++generation_;
    coordinator_ = kernel_
                       ->start(Process::Kind::coordinator, fmt::format("coordinator{}", generation), {},
                               [this, generation](Process& self) { return programs_.coordinate(self, generation); })
                       .pid;
}

void Session::tell(std::uint32_t number) {
    news_.insert(number);
    ::eventfd_write(nudge_.get(), 1);
    kernel_->note_change();
}

void Session::take_requests() {
    while (!requests_.empty()) {
        const Request request = std::move(requests_.front());
        requests_.pop_front();
        coordinating::Processes::Process& row = rows_[request.number];
        if (row.state == coordinating::AnchorRow::running) continue;
        const Process& process = kernel_->start(
            Process::Kind::actor, request.spec.arguments.empty() ? "actor" : request.spec.arguments.front(),
            request.life, [this, request](Process& self) { return programs_.live(self, request.life, request.spec); });
        row = {coordinating::AnchorRow::running, request.life, process.pid, 0, {}};
        tell(request.number);
    }
}

void Session::note_end(Process& process) {
    kernel_->later(dice_->microseconds(0, 300), [this, pid = process.pid] { reap(pid); });
}

void Session::reap(pid_t pid) {
    const Process* const process = kernel_->find(pid);
    if (process == nullptr) return;
    const ExitStatus exit = *process->exit;
    const ActorId life = process->life;
    const bool is_coordinator = process->kind == Process::Kind::coordinator;
    kernel_->reap(pid);
    if (!is_coordinator) {
        const auto row = rows_.find(life.number);
        if (row == rows_.end() || row->second.pid != pid) return;
        row->second.state = coordinating::AnchorRow::exited;
        row->second.code = exit.code_or_signal;
        row->second.exit = exit;
        story_->tell("anchor", "has reaped {}", to_string(life));
        return tell(life.number);
    }
    take_requests();  // what it has asked for as a whole
    coordinator_ = 0;
    if (!exit.by_signal && exit.code_or_signal != coordinating::exit_replaced) end_ = exit.code_or_signal;
    else kernel_->later(dice_->microseconds(0, 5'000), [this] { start_coordinator(); });
}

// ---- SimProcesses ----------------------------------------------------------------------------------

Result<void> SimProcesses::spawn(std::uint32_t number, ActorId life, const ChildSpec& spec) {
    session_->requests_.push_back({number, life, spec});
    session_->kernel_->later(session_->dice_->microseconds(0, 500),
                             [session = session_] { session->take_requests(); });
    return {};
}

std::vector<std::uint32_t> SimProcesses::take_news() {
    eventfd_t nudges = 0;
    static_cast<void>(::eventfd_read(session_->nudge_.get(), &nudges));
    const std::set<std::uint32_t> news = std::exchange(session_->news_, {});
    return {news.begin(), news.end()};
}

coordinating::Processes::Process SimProcesses::process(std::uint32_t number) const noexcept {
    const auto found = session_->rows_.find(number);
    return found == session_->rows_.end() ? Process{} : found->second;
}

coordinating::ProcessHandle SimProcesses::handle_of(std::uint32_t number) const {
    const Process process = this->process(number);
    if (process.state != coordinating::AnchorRow::running) return {};
    Result<coordinating::ProcessHandle> handle = open(process.pid);
    return handle ? std::move(*handle) : coordinating::ProcessHandle{};
}

Result<coordinating::ProcessHandle> SimProcesses::open(pid_t pid) const {
    Result<UniqueFd> end = session_->kernel_->open(pid);
    if (!end) return end.error();
    pids_[end->get()] = pid;
    return coordinating::ProcessHandle{*this, std::move(*end)};
}

std::optional<std::uint64_t> SimProcesses::start_ticks(pid_t pid) const {
    return session_->kernel_->find(pid) == nullptr ? std::nullopt : std::optional<std::uint64_t>{1};
}

Result<void> SimProcesses::signal(int end, int number) const {
    const auto found = pids_.find(end);
    if (found == pids_.end() || session_->kernel_->find(found->second) == nullptr)
        return Error{ErrorKind::gone, "there is no such process any more"};
    session_->kernel_->signal(found->second, number);
    return {};
}

// ---- SimRole ---------------------------------------------------------------------------------------

Result<std::unique_ptr<SimRole>> SimRole::open(Kernel& kernel, const std::string& session_id, std::string folder) {
    Result<RoleView> view = RoleView::open(session_id);
    if (!view) return view.error();
    return std::unique_ptr<SimRole>{new SimRole(kernel, std::move(folder), std::move(*view))};
}

bool SimRole::find_holder() {
    const RoleView::Holder holder = view_.holder();
    if (holder.generation == 0 || holder.generation == holder_.generation) return false;
    Result<UniqueFd> process = kernel_->open(static_cast<pid_t>(holder.pid));
    if (!process || is_readable(process->get())) return false;
    holder_ = holder;
    coordinator_ = std::move(*process);
    return true;
}

Role::State SimRole::look() {
    if (view_.is_over()) return State::over;
    if (coordinator_.is_open()) {
        if (!is_readable(coordinator_.get())) return State::held;
        coordinator_.reset();
    }
    return find_holder() ? State::passed_on : State::vacant;
}

std::string SimRole::address() const { return coordinator_address(folder_, holder_.generation); }

void SimRole::add_descriptors(std::vector<int>& descriptors) const {
    if (coordinator_.is_open()) descriptors.push_back(coordinator_.get());
}

}  // namespace seeded
