#include "actors/coordinator/coordinator_actor.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <set>

#include "actors/coordinator/notify.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/dispatching.hpp"
#include "runtime/process/system_error.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail::coordinator {
namespace {

// Between two rounds in which all are told to trim.
constexpr Duration trim_interval = std::chrono::milliseconds{10};

// Of those that there are, when somebody looks for a name that nobody has.
constexpr std::size_t names_told_max = 40;

constexpr Duration deadline_max = std::chrono::hours{24 * 365};

}  // namespace

Result<std::unique_ptr<Coordinator>> Coordinator::create(Loop& loop, Place place, Setting setting) {
    UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
    if (!epoll.is_open()) return system_error(errno, "cannot watch processes");
    std::unique_ptr<Coordinator> coordinator{new Coordinator(loop, place, std::move(setting), std::move(epoll))};
    Coordinator& self = *coordinator;
    if (Result<void> watched = self.watch(place.processes->news_descriptor(), anchor_news); !watched)
        return watched.error();
    if (place.signals != nullptr)
        if (Result<void> watched = self.watch(place.signals->fd(), stop_signal); !watched) return watched.error();
    if (place.upkeep != nullptr)
        if (Result<void> watched = self.watch(place.upkeep->descriptor(), files_removed); !watched)
            return watched.error();
    if (self.setting_.serves_for != 0) {
        Result<ProcessHandle> served = place.processes->open(self.setting_.serves_for);
        if (!served) return served.error();
        self.served_ = std::move(*served);
        if (Result<void> watched = self.watch(self.served_.get(), served_process); !watched) return watched.error();
    }
    return coordinator;
}

Coordinator::Coordinator(Loop& loop, Place place, Setting setting, UniqueFd epoll)
    : loop_(&loop),
      folder_(place.folder),
      vitals_(place.vitals),
      estate_(place.estate),
      lanes_(place.lanes),
      records_(place.records),
      anchor_(place.processes),
      signals_(place.signals),
      upkeep_(place.upkeep),
      setting_(std::move(setting)),
      epoll_(std::move(epoll)),
      strays_(place.folder->path(), place.processes->anchor()),
      next_touch_(Deadline::in(loop.clock(), limits::touch_interval)),
      restarts_(loop.clock()),
      reports_(members_, restarts_, *place.vitals, *place.lanes, loop.clock()),
      stopping_(loop, members_, *place.records, [this](int number) { signal_scenario(number); }) {
    records_->tell_of(restarts_);
}

void Coordinator::handle(const Command& command, AnswerSlot answer) {
    dispatch(*loop_, this, CommandHandlers<Coordinator, Protocol>::all, command, std::move(answer));
}

Duration Coordinator::bounded(Duration asked) { return std::clamp(asked, Duration::zero(), deadline_max); }

Deadline Coordinator::deadline_of(Duration asked, const std::optional<Duration>& until) const {
    const Deadline deadline = Deadline::in(loop_->clock(), bounded(asked));
    return until ? deadline.or_earlier(Deadline{Instant{*until}}) : deadline;
}

Result<void> Coordinator::watch(int descriptor, std::uint64_t what) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = what;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
    return system_error(errno, "cannot watch a process");
}

// ---- looking up ------------------------------------------------------------------------------------

void Coordinator::on(const Locate& command, Answer<Located> answer) {
    const ActorId id = command.actor.id;
    if (Result<void> ours = loop_->require_ours(command.actor); !ours) return answer.fail(ours.error());
    if (id == coordinator_id)
        return answer.reply({std::string(coordinator_name), coordinator_address(folder_->path())});
    if (Member* member = members_.find(id); member != nullptr) {
        if (member->address.empty())
            return answer.fail(
                Error{ErrorKind::refused, fmt::format("{} has no inbox: nothing can be sent to it", member->name)});
        if (sender(answer.asker(), Access::link(answer))) member->watchers.insert(answer.asker());
        return answer.reply({member->name, member->address});
    }
    if (const Past* past = members_.find_past(id); past != nullptr)
        return answer.fail(gone(fmt::format("{} has exited: {}", past->row.name, to_text(past->row.exit))));
    answer.fail(gone(fmt::format("no actor {} in this session", to_string(id))));
}

void Coordinator::on(const Watch& command, Answer<std::string> answer) {
    if (Result<void> ours = loop_->require_ours(command.actor); !ours) return answer.fail(ours.error());
    Member* member = members_.find(command.actor.id);
    // The pid of one that we have not started is free as soon as its own parent has heard of the end: we know of it
    // first.
    if (member != nullptr && member->process.is_open() && member->process.has_ended()) {
        settle_exit(*member, std::nullopt);
        member = nullptr;
    }
    if (member != nullptr) {
        if (sender(answer.asker(), Access::link(answer))) member->watchers.insert(answer.asker());
        return answer.reply(member->name);
    }
    if (const Past* past = members_.find_past(command.actor.id); past != nullptr)
        return answer.fail(gone(fmt::format("{} has exited: {}", past->row.name, to_text(past->row.exit))));
    answer.fail(gone(fmt::format("no actor {} in this session", to_string(command.actor.id))));
}

void Coordinator::on(const Find& command, Answer<Spawned> answer) {
    if (command.name == coordinator_name)
        return answer.reply({AnyRef{coordinator_id}, std::string(coordinator_name),
                             static_cast<std::uint64_t>(anchor_->own_pid()), describe_protocol<Protocol>()});
    if (command.until && is_about_to_live(command.name)) return wait_for_life(command, std::move(answer));
    if (const Member* member = members_.find(command.name); member != nullptr && member->has_process())
        return answer.reply({AnyRef{member->id}, member->name, member->pid, member->protocol});
    if (const Past* past = members_.find_past(command.name); past != nullptr)
        return answer.fail(gone(fmt::format("{} has exited: {}", command.name, to_text(past->row.exit))));
    std::string names;
    std::size_t told = 0;
    for (const auto& [number, member] : members_.living()) {
        if (told == names_told_max) break;
        names += (told++ == 0 ? "" : ", ") + member->name;
    }
    if (const std::size_t more = members_.living().size() - told; more > 0) names += fmt::format(" and {} more", more);
    answer.fail(gone(fmt::format("no actor '{}' in this session; there {} {}", command.name,
                                 members_.living().size() == 1 ? "is" : "are", names.empty() ? "none" : names)));
}

std::vector<RosterRow> Coordinator::on(const Roster& command) {
    return reports_.rows(command.with_exited);
}

RosterPage Coordinator::on(const RosterFrom& command) { return reports_.page_of(command.with_exited, command.place); }

// ---- segments --------------------------------------------------------------------------------------

void Coordinator::on(const Drained& command, Answer<std::monostate> answer) {
    Result<Member*> member = sender(answer.asker(), Access::link(answer));
    if (!member) return answer.fail(member.error());
    if (Result<void> ours = loop_->require_ours(command.actor); !ours) return answer.fail(ours.error());
    if (estate_->awaits((*member)->id, command.actor.id)) name_lost(command.actor.id, **member);
    // Of an actor that lives, the lane stays.
    if (estate_->drained((*member)->id, command.actor.id)) {
        lanes_->remove(command.actor.id, (*member)->id);
        tell_mended();
        note_settled(command.actor.id);
        carry_out_wills();
    }
    answer.reply({});
}

// All are told together what many may ask for at once.
void Coordinator::on(const MemoryShort&) {
    if (next_trim_.is_never()) next_trim_ = Deadline{last_trim_ + trim_interval};
    if (next_trim_.has_passed(loop_->clock())) trim_all();
}

void Coordinator::trim_all() {
    next_trim_ = Deadline::never();
    last_trim_ = loop_->clock().now();
    for (const auto& [number, member] : members_.living())
        if (estate_->holds_memory(member->id)) notify(*loop_, *member, notice::Trim{});
}

SegmentList Coordinator::on(const Segments& command) {
    const auto called = [this](ActorId actor) {
        const Member* const member = members_.find(actor);
        return member == nullptr ? to_string(actor) : member->name;
    };
    return estate_->list(std::min<std::uint64_t>(command.rows_max, limits::segments_listed_max), called);
}

std::vector<std::string> Coordinator::on(const Audit&) {
    std::vector<std::string> broken;
    for (const Finding& finding : estate_->audit()) {
        if (broken.size() == limits::segments_listed_max) break;
        broken.push_back(fmt::format("I{}: {}", finding.invariant, finding.text));
    }
    std::set<ActorId> living;
    for (const auto& [number, member] : members_.living()) living.insert(member->id);
    for (std::string& text : lanes_->audit(living)) broken.push_back(std::move(text));
    return broken;
}

// ---- stopping --------------------------------------------------------------------------------------

void Coordinator::on(const Signal& command, Answer<std::monostate> answer) {
    if (Result<void> ours = loop_->require_ours(command.actor); !ours) return answer.fail(ours.error());
    Member* member = members_.find(command.actor.id);
    if (member == nullptr) return answer.fail(gone(fmt::format("no actor {} is alive", to_string(command.actor.id))));
    if (member->is_outsider())
        return answer.fail(
            Error{ErrorKind::refused, fmt::format("{} was not started by this coordinator: it can only be "
                                                  "asked to stop",
                                                  member->name)});
    if (Result<void> sent = member->send_signal(command.signal); !sent) return answer.fail(sent.error());
    answer.reply({});
}

void Coordinator::on(const StopActors& command, Answer<std::vector<Ended>> answer) {
    if (!stopping_.has_room())
        return answer.fail(Error{ErrorKind::overloaded,
                                 fmt::format("{} stops are under way already (limits::stops_max)", limits::stops_max)});
    const Deadline deadline = deadline_of(command.timeout, command.until);
    if (command.until && deadline.has_passed(loop_->clock()))
        return answer.fail(Error{ErrorKind::timed_out,
                                 "nobody was stopped: the coordinator has read this only after the "
                                 "deadline, when the asker had given up"});
    std::vector<ActorId> named;
    if (command.actors.empty()) {
        for (const auto& [number, member] : members_.living())
            if (!member->is_outsider()) named.push_back(member->id);
        std::vector<ActorId> seated;
        for (const auto& [number, seat] : restarts_.all()) seated.push_back(seat.life);
        for (const ActorId one : seated) static_cast<void>(stop_for_good(one));
    }
    for (const AnyRef& actor : command.actors) {
        if (Result<void> ours = loop_->require_ours(actor); !ours) return answer.fail(ours.error());
        if (!members_.has_lived(actor.id))
            return answer.fail(gone(fmt::format("no actor {} in this session", to_string(actor.id))));
        // One whose exit is forgotten is named, too: it does not keep the others from being stopped.
        named.push_back(stop_for_good(actor.id));
    }
    stopping_.begin(std::move(named), deadline, command.drain, std::move(answer));
    finish_stops();
}

void Coordinator::on(const CloseSession& command, Answer<Closed> answer) {
    if (Member* const member = members_.find(answer.asker()); member != nullptr) {
        member->asked_to_close = true;
        records_->write(*member);
    }
    closing_.push_back(std::move(answer));
    close(bounded(command.timeout));
    close_if_empty();
}

void Coordinator::on(const Replace& command, Answer<Incumbent> answer) {
    if (anchor_->generation() > command.generation)
        return answer.reply({anchor_->generation(), static_cast<std::uint64_t>(anchor_->own_pid())});
    replacing_.push_back(std::move(answer));
}

void Coordinator::close(Duration deadline) {
    if (std::exchange(is_closing_, true)) return;
    const Deadline end = Deadline::in(loop_->clock(), deadline);
    records_->header().closing_until.store(end.at().time_since_epoch().count(), std::memory_order_seq_cst);
    pass_crash_point(CrashPoint::stop_recorded);
    std::vector<ActorNumber> waiting;
    for (const auto& [number, seat] : restarts_.all())
        if (seat.state == Seat::waits) waiting.push_back(number);
    for (const ActorNumber number : waiting) forget_seat(number);
    tell_outsiders_to_close();
    stop_all(end);
}

// They are not ours: they are told, and have a moment to say what they leave unread when all others have ended. The one
// that asked for it knows already.
void Coordinator::tell_outsiders_to_close() {
    for (const auto& [number, member] : members_.living()) {
        if (!member->is_outsider() || member->asked_to_close) continue;
        if (std::exchange(member->was_asked_to_stop, true)) continue;
        records_->write(*member);
        stopping_.ask(*member);
    }
}

void Coordinator::stop_all(Deadline end) {
    std::vector<ActorId> named;
    for (const auto& [number, member] : members_.living())
        if (!member->is_outsider()) named.push_back(member->id);
    if (setting_.scenario && !scenario_exit_code_) named.push_back(Stopping::scenario);
    stopping_.begin(std::move(named), end, false, {});
    finish_stops();
}

// A coordinator before this one was asked to close, and the one that asked it is about to ask again.
bool Coordinator::awaits_closer() const {
    if (anchor_->generation() <= 1 || !closing_.empty() || !unread_closed_.empty()) return false;
    return std::ranges::any_of(members_.living(), [](const auto& entry) { return entry.second->asked_to_close; });
}

void Coordinator::finish_stops() {
    stopping_.finish();
    close_if_empty();
}

void Coordinator::close_if_empty() {
    if (!is_closing_ || !stopping_.is_idle() || is_closed_) return;
    if (awaits_closer()) {
        if (goodbye_deadline_.is_never()) goodbye_deadline_ = Deadline::in(loop_->clock(), limits::linger);
        if (!goodbye_deadline_.has_passed(loop_->clock())) return;
    }
    Closed closed;
    RosterPage page = reports_.page_of(true, {behind_the_living, 0});
    for (RosterRow& row : page.rows)
        if (!row.program.empty()) closed.ended.push_back({row.actor, std::move(row.name), std::move(row.exit)});
    closed.next = page.next;
    // An asker that sees us exit before the answer has arrived would take it for a death, so it says Leave first.
    for (Answer<Closed>& answer : closing_) {
        answer.reply(closed);
        if (members_.find(answer.asker()) != nullptr) unread_closed_.insert(answer.asker());
        goodbye_deadline_ = Deadline::in(loop_->clock(), limits::linger);
    }
    closing_.clear();
    const bool awaits = !unread_closed_.empty() || awaits_outsiders();
    if (awaits && goodbye_deadline_.is_never()) goodbye_deadline_ = Deadline::in(loop_->clock(), limits::linger);
    is_closed_ = !awaits || goodbye_deadline_.has_passed(loop_->clock());
    if (!is_closed_) return;
    for (const auto& [number, member] : members_.living()) log_letters(*member, reports_.dead_letters_of(*member));
}

// Those that have been told, and have yet to say what they leave unread. In a hurry nobody hears that.
bool Coordinator::awaits_outsiders() const {
    if (anchor_->stop_signals() >= 2) return false;
    return std::ranges::any_of(members_.living(), [](const auto& entry) {
        return entry.second->link.is_some() && entry.second->stop_told.has_value();
    });
}

// ---- waking up -------------------------------------------------------------------------------------

void Coordinator::on_descriptor() {
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int index = 0; index < count; ++index) {
        const std::uint64_t what = events[static_cast<std::size_t>(index)].data.u64;
        if (what == stop_signal) {
            static_cast<void>(signals_->take());
            look_at_anchor();
        } else if (what == served_process) {
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, served_.get(), nullptr);
            close(orphaned_timeout);
        } else if (what == anchor_news) {
            look_at_anchor();
        } else if (what == files_removed) {
            upkeep_->heard(loop_->clock().now());
        } else if (what == anchor_has_room) {
            anchor_->flush();
            watch_requests();
        } else if (Member* member = members_.find(ActorId{static_cast<std::uint32_t>(what >> 32),
                                                          static_cast<std::uint32_t>(what)});
                   member != nullptr) {
            settle_exit(*member, std::nullopt);  // an outsider
        }
    }
}

Deadline Coordinator::next_deadline() const {
    return stopping_.next()
        .or_earlier(goodbye_deadline_)
        .or_earlier(estate_->next_collection())
        .or_earlier(next_touch_)
        .or_earlier(upkeep_ == nullptr ? Deadline::never() : upkeep_->next())
        .or_earlier(next_trim_)
        .or_earlier(next_look_at_wills_)
        .or_earlier(next_look_for_strays_)
        .or_earlier(members_.next_spawn_deadline())
        .or_earlier(restarts_.next())
        .or_earlier(next_late_find())
        .or_earlier(next_look_for_hung_);
}

void Coordinator::on_deadline() {
    for (Member* member : members_.late_spawns(loop_->clock())) fail_late_spawn(*member);
    if (restarts_.next().has_passed(loop_->clock())) begin_restarts();
    answer_finds();
    if (next_look_for_hung_.has_passed(loop_->clock())) look_for_hung();
    if (next_trim_.has_passed(loop_->clock())) trim_all();
    if (next_look_for_strays_.has_passed(loop_->clock())) look_for_strays();
    if (estate_->next_collection().has_passed(loop_->clock())) {
        estate_->collect();
        tell_mended();
    }
    if (next_look_at_wills_.has_passed(loop_->clock())) carry_out_wills();
    if (next_touch_.has_passed(loop_->clock())) {
        folder_->touch();
        if (upkeep_ != nullptr) upkeep_->look_at_all();
        look_after_files();
        next_touch_ = Deadline::in(loop_->clock(), limits::touch_interval);
    }
    if (upkeep_ != nullptr && upkeep_->next().has_passed(loop_->clock())) look_after_files();
    stopping_.climb();
    finish_stops();
}

// What other programs have removed is put back, as far as it can be.
void Coordinator::look_after_files() {
    if (upkeep_ == nullptr) return;
    const Result<std::vector<std::string>> missing = upkeep_->look(loop_->clock().now());
    if (!missing) {
        if (!std::exchange(cannot_be_reached_, true))
            loop_->log().error("files.missing", "{}", to_text(missing.error()));
        return;
    }
    cannot_be_reached_ = false;
    for (const std::string& path : *missing)
        loop_->log().warn("file.put_back", "{} was removed by another program", path);
    if (upkeep_->is_inbox_missing()) {
        Result<void> bound = loop_->transport().bind_again();
        if (bound) bound = upkeep_->name_inbox(anchor_->generation());
        if (!bound) loop_->log().error("inbox.unreachable", "{}", to_text(bound.error()));
    }
    for (const auto& [number, member] : members_.living()) {
        if (!missing->empty()) records_->keep_protocol(fingerprint_of(member->protocol), member->protocol);
        ask_for_files(*member, Files::heard_of);
    }
    upkeep_->seen();
}

// Of a member whose inbox or bell has no file any more.
void Coordinator::ask_for_files(const Member& member, Files which) {
    if (upkeep_ == nullptr || !member.link.is_some() || member.state == Member::State::stopping) return;
    std::vector<std::string> files;
    if (!member.address.empty()) files.push_back(member.address.substr(std::string_view("ipc://").size()));
    if (lanes_->has_bell(member.id)) files.push_back(folder_->path() + "/" + Bells::fifo_name(member.id));
    if (which == Files::heard_of)
        std::erase_if(files, [this](const std::string& file) { return !upkeep_->may_have_gone(file); });
    const auto is_missing = [](const std::string& file) { return ::access(file.c_str(), F_OK) != 0; };
    if (std::ranges::any_of(files, is_missing)) notify(*loop_, member, notice::BindAgain{});
}

}  // namespace baton::detail::coordinator
