// The coordinator's door: how an actor or an outsider becomes a member, is ready, and says goodbye.
#include <algorithm>
#include <csignal>

#include "actors/coordinator/coordinator_actor.hpp"
#include "actors/coordinator/notify.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/base/text.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/transport/descriptors.hpp"

namespace baton::detail::coordinator {
namespace {

// A member from outside takes a pidfd beside the connection that it has.
constexpr int descriptors_per_join = 1;
// Connections are accepted a little longer than members are, so that those who come too late are told.
constexpr int descriptors_for_refusals = 8;

}  // namespace

Result<void> Coordinator::require_room(int descriptors, std::string_view tried) const {
    // Those that have been started and have not joined will still connect.
    return require_descriptors(descriptors + static_cast<int>(members_.awaited()) + descriptors_for_refusals, tried);
}

// ---- joining and leaving ---------------------------------------------------------------------------

void Coordinator::on(Join command, Answer<Welcome> answer) {
    if (is_closing_) return answer.fail(Error{ErrorKind::stopping, "the session is ending"});
    if (const Member* joined = members_.find(Access::link(answer)); joined != nullptr)
        return answer.fail(Error{ErrorKind::refused, fmt::format("this connection has joined already, as {} ({})",
                                                                 joined->name, to_string(joined->id))});
    if (encoded_body(command.protocol).size() > limits::protocol_bytes_max)
        return answer.fail(
            Error{ErrorKind::refused, fmt::format("the description of the protocol has more than {} bytes "
                                                  "(limits::protocol_bytes_max)",
                                                  limits::protocol_bytes_max)});
    if (Result<void> fine = check_address(command.address, command.as.id); !fine) return answer.fail(fine.error());
    if (command.as.id.is_somebody()) return join_as_actor(std::move(command), std::move(answer));
    join_as_outsider(std::move(command), std::move(answer));
}

void Coordinator::join_as_actor(Join command, Answer<Welcome> answer) {
    look_at_anchor();  // it may be here before we have heard that it has been started
    Member* member = members_.find(command.as.id);
    if (member == nullptr || member->is_outsider() || member->link.is_some())
        return answer.fail(gone(fmt::format("nobody was spawned as actor {}", to_string(command.as.id))));
    members_.connect(*member, Access::link(answer), std::move(command.address));
    member->protocol = std::move(command.protocol);
    if (member->was_asked_to_stop)
        return answer.fail(Error{ErrorKind::stopping, fmt::format("{} was told to stop", member->name)});
    const std::uint64_t fingerprint = fingerprint_of(member->protocol);
    if (member->fingerprint_expected != 0 && member->fingerprint_expected != fingerprint) {
        const Error other{ErrorKind::refused,
                          fmt::format("the program {} speaks the protocol '{}' ({:016x}), not the one that its "
                                      "spawner was compiled with ({:016x}): build both anew",
                                      member->program, member->protocol.name, fingerprint,
                                      member->fingerprint_expected)};
        fail_spawn(*member, other);
        return answer.fail(other);
    }
    records_->keep_protocol(fingerprint, member->protocol);
    records_->write(*member);
    pass_crash_point(CrashPoint::join_recorded);
    return welcome(*member, std::move(answer));
}

void Coordinator::join_as_outsider(Join command, Answer<Welcome> answer) {
    // It has joined already, at a coordinator that could not tell it so.
    const std::uint64_t token = command.token.value_or(0);
    if (Member* member = token == 0 ? nullptr : members_.joined_with(token);
        member != nullptr && !member->link.is_some() && member->pid == command.pid) {
        members_.connect(*member, Access::link(answer), std::move(command.address));
        return welcome(*member, std::move(answer));
    }
    // An outsider. Names of outsiders never fail: the second "scenario" is "scenario-2".
    const std::string wanted = command.name.empty() ? "outsider" : command.name;
    if (Result<void> fine = check_name(wanted); !fine) return answer.fail(fine.error());
    if (Result<void> room =
            require_room(descriptors_per_join, fmt::format("the session can't take {} as a member", wanted));
        !room)
        return answer.fail(room.error());
    std::string name = members_.free_name(wanted);
    Result<ActorId> id = new_life(0, name);
    if (!id) return answer.fail(id.error());
    auto member = std::make_unique<Member>();
    member->id = *id;
    member->name = std::move(name);
    member->pid = command.pid;
    member->state = Member::State::ready;
    member->protocol = std::move(command.protocol);
    member->token = token;
    member->owns_session = command.owns_session && static_cast<pid_t>(command.pid) == setting_.serves_for;
    if (command.pid != 0) {
        Result<ProcessHandle> process = anchor_->open(static_cast<pid_t>(command.pid));
        Result<void> watched;
        if (process) watched = watch(process->get(), packed(*id));
        if (!process || !watched) {
            static_cast<void>(estate_->settle(*id));  // nobody lives there
            records_->write_free(*id);
            return answer.fail(process ? watched.error() : process.error());
        }
        member->process = std::move(*process);
        member->start_ticks = anchor_->start_ticks(static_cast<pid_t>(command.pid)).value_or(0);
    }
    Member& added = members_.add(std::move(member));
    members_.connect(added, Access::link(answer), std::move(command.address));
    records_->keep_protocol(fingerprint_of(added.protocol), added.protocol);
    records_->write(added);
    pass_crash_point(CrashPoint::join_recorded);
    loop_->log().info("actor.joined", "name={} id={} pid={}", added.name, to_string(added.id), added.pid);
    welcome(added, std::move(answer));
}

void Coordinator::welcome(Member& member, Answer<Welcome> answer) {
    loop_->transport().keep(member.link);  // its control lane, as long as it lives
    loop_->commands().intake().introduce(member.link, member.id);
    carry_out_wills();  // before the answer, so that a next life has what is left to it when it is constructed
    answer.reply({AnyRef{member.id}, member.name, folder_->id(), static_cast<std::uint64_t>(anchor_->own_pid()),
                  limits::send_timeout, static_cast<std::uint64_t>(anchor_->anchor())});
}

void Coordinator::on(const Rejoin& command, Answer<Welcome> answer) {
    Member* const member = members_.find(command.as.id);
    if (member == nullptr)
        return answer.fail(gone(fmt::format("no member {} lives in this session", to_string(command.as.id))));
    if (member->link.is_some() || member->pid != command.pid)
        return answer.fail(Error{ErrorKind::refused,
                                 fmt::format("{} ({}) is here already, or is another process than this one",
                                             member->name, to_string(member->id))});
    members_.connect(*member, Access::link(answer), member->address);
    loop_->log().debug("actor.rejoined", "name={} id={}", member->name, to_string(member->id));
    welcome(*member, std::move(answer));
    pass_crash_point(CrashPoint::rejoin_answered);
    if (command.is_ready && member->state == Member::State::starting) become_ready(*member);
    for (const std::uint64_t ask : command.given_up.value_or(std::vector<std::uint64_t>{}))
        if (Member* const unwanted = members_.started_by({member->id, ask}); unwanted != nullptr) {
            loop_->log().warn("actor.unwanted", "name={} its spawner had given up when it was ready: killed",
                              unwanted->name);
            static_cast<void>(stop_for_good(unwanted->id));
            static_cast<void>(unwanted->send_signal(SIGKILL));
        }
    tell_what_was_missed(*member, command.watches);
    ask_for_files(*member, Files::all);  // one may have gone while nobody looked
}

// What a member was to be told while there was no coordinator, or while it had not rejoined.
void Coordinator::tell_what_was_missed(Member& member, const std::vector<AnyRef>& watches) {
    if (member.was_asked_to_stop) stopping_.ask(member);
    std::set<ActorId> ended = std::exchange(member.untold, {});
    for (const AnyRef& watched : watches) {
        if (Member* other = members_.find(watched.id); other != nullptr) other->watchers.insert(member.id);
        else ended.insert(watched.id);
    }
    for (const ActorId one : ended) {
        const Past* const past = members_.find_past(one);
        Exit forgotten{ExitKind::left, 0, "how it ended is not remembered any more", "", {}, {}};
        notify(*loop_, member, notice::Exited{AnyRef{one}, past == nullptr ? to_string(one) : past->row.name,
                                              past == nullptr ? std::move(forgotten) : past->row.exit});
    }
    for (const ActorId dead : estate_->awaited_of(member.id)) {
        const Past* past = members_.find_past(dead);
        notify(*loop_, member, notice::Drain{AnyRef{dead}, past == nullptr ? 0 : past->row.pid});
    }
}

Result<Member*> Coordinator::sender(ActorId id, Link link) {
    Member* member = members_.find(id);
    if (member != nullptr && member->link == link) return member;
    return gone(fmt::format("this connection has not joined as actor {}", to_string(id)));
}

void Coordinator::on(const Ready&, Answer<std::monostate> answer) {
    Result<Member*> found = sender(answer.asker(), Access::link(answer));
    if (!found) return answer.fail(found.error());
    Member& member = **found;
    if (member.state != Member::State::starting) return answer.reply({});
    // The spawner has been told, or has given up by itself while we were held up.
    if (member.spawn_deadline.has_passed(loop_->clock())) {
        fail_late_spawn(member);
        return answer.fail(Error{ErrorKind::timed_out, "it became ready only after the deadline of its spawner"});
    }
    become_ready(member);
    answer.reply({});
}

void Coordinator::become_ready(Member& member) {
    members_.set_state(member, Member::State::ready);
    if (Seat* seat = restarts_.find(member.id); seat != nullptr && seat->state == Seat::founded) {
        seat->state = Seat::lives;
        seat->begun = loop_->clock().now();
    }
    members_.set_spawn_deadline(member, Deadline::never());
    records_->write(member);
    loop_->log().info("actor.ready", "name={} id={}", member.name, to_string(member.id));
    answer_spawner(member);
    answer_finds();
}

// When it is ready, and its pid is known: it may be quicker than the anchor, which has started it.
void Coordinator::answer_spawner(Member& member) {
    if (member.state == Member::State::starting || member.pid == 0) return;
    member.spawn_answer.reply({AnyRef{member.id}, member.name, member.pid, member.protocol});
    member.spawn_answer = {};
}

void Coordinator::on(Leave command, Answer<std::monostate> answer) {
    Result<Member*> found = sender(answer.asker(), Access::link(answer));
    if (!found) return answer.fail(found.error());
    Member& member = **found;
    if (command.dead_letters.size() > limits::actors_max) command.dead_letters.resize(limits::actors_max);
    for (DeadLetter& letter : command.dead_letters) {
        letter.from = reports_.name_of_sender(letter.from);
        letter.command = readable(letter.command, limits::name_bytes_max);
    }
    member.left = std::move(command.dead_letters);
    members_.set_state(member, Member::State::stopping);
    members_.set_spawn_deadline(member, Deadline::never());
    if (!records_->journal().write_left(member.id, *member.left)) tell_unrecorded(member);
    records_->write(member);
    pass_crash_point(CrashPoint::leave_recorded);
    answer.reply({});
    if (member.is_outsider()) settle_exit(member, std::nullopt);
}

Result<void> Coordinator::check_name(std::string_view name) const {
    const bool is_fine = !name.empty() && name.size() <= limits::name_bytes_max && printable(name) == name &&
                         std::ranges::none_of(name, [](char c) { return c == ' ' || c == '/'; });
    if (is_fine) return {};
    return Error{
        ErrorKind::refused,
        fmt::format("'{}' can't be a name: one to {} bytes of UTF-8 without spaces, '/' and control characters",
                    printable(readable(name, 40)), limits::name_bytes_max)};
}

// An exit removes the socket of its actor, so a member may name no file of somebody else's.
Result<void> Coordinator::check_address(std::string_view address, ActorId joins_as) {
    if (address.empty()) return {};
    const std::string prefix = fmt::format("ipc://{}/", folder_->path());
    const auto refused = [&](std::string_view why) {
        return Error{ErrorKind::refused,
                     fmt::format("'{}' can't be the address of an inbox: {}", readable(address, 200), why)};
    };
    if (!address.starts_with(prefix))
        return refused(fmt::format("an inbox is a socket in the session's folder, {}<name>.sock", prefix));
    const std::string_view socket = address.substr(prefix.size());
    const bool is_plain = std::ranges::all_of(socket, [](unsigned char c) { return c > 0x20 && c < 0x7F && c != '/'; });
    if (!is_plain || socket.size() <= 5 || !socket.ends_with(".sock"))
        return refused("a socket in the session's folder is called <name>.sock, in printable ASCII");
    if (address.size() - std::string_view("ipc://").size() > socket_path_size_bytes_max)
        return refused(fmt::format("the path of a socket has at most {} bytes", socket_path_size_bytes_max));
    if (socket.starts_with(coordinator_socket)) return refused("it is the coordinator's");
    if (const Member* holder = members_.at_address(std::string(address)); holder != nullptr && holder->id != joins_as)
        return refused(fmt::format("it is that of {}", holder->name));
    return {};
}

}  // namespace baton::detail::coordinator
