#include "actors/coordinator/anchor_link.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/process/process_facts.hpp"
#include "runtime/process/system_error.hpp"
#include "runtime/vitals/vitals.hpp"

namespace baton::detail::coordinator {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
// Of requests that the anchor has not read. It may have been suspended.
constexpr std::size_t waiting_bytes_max = std::size_t{16} << 20;

UniqueFd inherited(int fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return UniqueFd{fd};
}

}  // namespace

Error other_anchor(std::uint64_t version) {
    return Error{ErrorKind::corrupt,
                 fmt::format("the anchor of the session speaks version {} to coordinators, expected {}: it is of "
                             "another version of Baton",
                             version, AnchorTable::version_word)};
}

Result<AnchorLink> AnchorLink::open() {
    UniqueFd table = inherited(anchor_table_fd);
    UniqueFd requests = inherited(anchor_requests_fd);
    UniqueFd news = inherited(anchor_news_fd);
    struct stat facts {};
    if (::fstat(table.get(), &facts) != 0 || facts.st_size != static_cast<off_t>(sizeof(AnchorTable)))
        return Error{ErrorKind::gone, "a coordinator is started by the anchor of its session, and by nobody else"};
    void* const memory = ::mmap(nullptr, sizeof(AnchorTable), PROT_READ | PROT_WRITE, MAP_SHARED, table.get(), 0);
    if (memory == MAP_FAILED) return system_error(errno, "cannot read what the anchor says");
    auto* const mapped = static_cast<AnchorTable*>(memory);
    if (const std::uint64_t version = mapped->version.load(relaxed); version != AnchorTable::version_word) {
        ::munmap(memory, sizeof(AnchorTable));
        return other_anchor(version);
    }
    return AnchorLink{*mapped, mapped->news, std::move(requests), std::move(news)};
}

AnchorLink::AnchorLink(AnchorLink&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)),
      news_words_(other.news_words_),
      requests_(std::move(other.requests_)),
      news_(std::move(other.news_)),
      generation_(other.generation_),
      waiting_(std::move(other.waiting_)) {}

AnchorLink::~AnchorLink() {
    if (table_ != nullptr) ::munmap(const_cast<AnchorTable*>(table_), sizeof(AnchorTable));
}

Result<void> AnchorLink::spawn(std::uint32_t number, ActorId life, const ChildSpec& spec) {
    AnchorRequest request;
    request.kind = AnchorRequest::spawn;
    request.number = number;
    request.life = packed(life);
    request.arguments = static_cast<std::uint32_t>(spec.arguments.size());
    request.variables = static_cast<std::uint32_t>(spec.environment.size());
    request.is_of_own_group = spec.group == ChildSpec::Group::own ? 1 : 0;
    std::string strings = spec.program + '\0';
    for (const std::string& argument : spec.arguments) strings += argument + '\0';
    for (const auto& [name, value] : spec.environment) strings += name + '=' + value + '\0';
    const std::size_t bytes = sizeof request + strings.size();
    if (bytes > anchor_request_bytes_max || spec.arguments.size() > anchor_strings_max ||
        spec.environment.size() > anchor_strings_max)
        return Error{ErrorKind::refused,
                     fmt::format("cannot start '{}': its path and arguments have {} bytes in {} strings; at most {} in "
                                 "{} can be handed over",
                                 spec.program, strings.size(), spec.arguments.size() + 1, anchor_request_bytes_max,
                                 anchor_strings_max)};
    if (waiting_.size() + bytes > waiting_bytes_max)
        return Error{ErrorKind::overloaded,
                     fmt::format("cannot start '{}': the anchor of the session (pid {}) has not read the requests "
                                 "before it; is it suspended? `kill -CONT {}` wakes it",
                                 spec.program, anchor(), anchor())};
    request.bytes = static_cast<std::uint32_t>(bytes);
    std::string whole(sizeof request, '\0');
    std::memcpy(whole.data(), &request, sizeof request);
    send(whole + strings);
    return {};
}

void AnchorLink::say(AnchorRequest::Kind kind, std::string_view text) {
    AnchorRequest request;
    request.kind = kind;
    request.bytes = static_cast<std::uint32_t>(sizeof request + text.size());
    std::string whole(sizeof request, '\0');
    std::memcpy(whole.data(), &request, sizeof request);
    send(whole.append(text));
}

void AnchorLink::send(std::string_view bytes) {
    waiting_ += bytes;
    flush();
}

void AnchorLink::flush() noexcept {
    std::size_t sent = 0;
    while (sent < waiting_.size()) {
        const ssize_t size = ::send(requests_.get(), waiting_.data() + sent, waiting_.size() - sent,
                                    MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) break;  // if the anchor has ended, so do we
        sent += static_cast<std::size_t>(size);
    }
    waiting_.erase(0, sent);
}

std::vector<std::uint32_t> AnchorLink::take_news() {
    eventfd_t nudges = 0;
    static_cast<void>(::eventfd_read(news_.get(), &nudges));
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t word = 0; word < AnchorTable::news_words; ++word) {
        if (news_words_[word].load(relaxed) == 0) continue;
        std::uint64_t bits = news_words_[word].exchange(0, std::memory_order_seq_cst);
        for (; bits != 0; bits &= bits - 1)
            numbers.push_back(word * 64 + static_cast<std::uint32_t>(__builtin_ctzll(bits)));
    }
    return numbers;
}

AnchorLink::Process AnchorLink::process(std::uint32_t number) const noexcept {
    Process process;
    if (number >= AnchorTable::rows_count) return process;
    const AnchorRow& row = table_->rows[number];
    // What is said of one life is not taken for another's: the anchor first says that there is none.
    for (;;) {
        const std::uint32_t state = row.state.load(std::memory_order_seq_cst);
        const std::uint64_t life = row.life.load(std::memory_order_seq_cst);
        process.pid = row.pid.load(std::memory_order_seq_cst);
        process.code = row.code.load(std::memory_order_seq_cst);
        process.exit = {.by_signal = row.by_signal.load(std::memory_order_seq_cst) != 0,
                        .code_or_signal = process.code};
        if (row.state.load(std::memory_order_seq_cst) != state || row.life.load(std::memory_order_seq_cst) != life)
            continue;
        process.state = static_cast<AnchorRow::State>(state);
        process.life = unpacked(life);
        return process;
    }
}

ProcessHandle AnchorLink::handle_of(std::uint32_t number) const {
    const Process before = process(number);
    if (before.state != AnchorRow::running) return {};
    Result<ProcessHandle> handle = open(before.pid);
    // The pid was that process's until its row said otherwise.
    const Process now = process(number);
    const bool is_it = now.state == AnchorRow::running && now.life == before.life && now.pid == before.pid;
    return handle && is_it ? std::move(*handle) : ProcessHandle{};
}

Result<ProcessHandle> AnchorLink::open(pid_t pid) const {
    Result<UniqueFd> pidfd = open_pidfd(pid);
    if (!pidfd) return pidfd.error();
    return ProcessHandle{*this, std::move(*pidfd)};
}

std::optional<std::uint64_t> AnchorLink::start_ticks(pid_t pid) const {
    const std::optional<ProcessFacts> facts = facts_of(pid);
    return facts ? std::optional<std::uint64_t>{facts->start_ticks} : std::nullopt;
}

Result<void> AnchorLink::signal(int end, int number) const { return send_signal_through(end, number); }

pid_t AnchorLink::own_pid() const noexcept { return ::getpid(); }

std::uint64_t AnchorLink::stop_signals() const noexcept {
    return table_->stop_signals.load(std::memory_order_acquire);
}
std::uint64_t AnchorLink::exits() const noexcept { return table_->exits.load(std::memory_order_acquire); }
pid_t AnchorLink::anchor() const noexcept { return table_->anchor.load(relaxed); }

}  // namespace baton::detail::coordinator
