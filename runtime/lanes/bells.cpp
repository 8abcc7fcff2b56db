#include "runtime/lanes/bells.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/base/crash_point.hpp"
#include "runtime/base/limit_behind.hpp"
#include "runtime/vitals/vitals.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto in_one_order = std::memory_order_seq_cst;
// Before the pages: what holds for all.
struct Header {
    std::atomic<std::uint64_t> lane_bytes_max;
    std::atomic<std::uint32_t> highest_number;  // that has ever been a member's
};
constexpr std::size_t header_bytes = BellPage::bytes;
constexpr std::size_t region_bytes = header_bytes + std::size_t{limits::actors_max} * BellPage::bytes;
constexpr std::size_t offset_of(std::uint32_t number) {
    return header_bytes + std::size_t{number - 1} * BellPage::bytes;
}

std::string name_of_region(std::string_view session_id) { return fmt::format("baton-{}-bells", session_id); }

}  // namespace

// ---- MemberSet ---------------------------------------------------------------------------------------

bool MemberSet::add(std::uint32_t number) noexcept {
    std::atomic<std::uint64_t>& word = words[number / 64 % words_max];
    const std::uint64_t bit = std::uint64_t{1} << number % 64;
    if ((word.load(in_one_order) & bit) != 0) return false;
    word.fetch_or(bit, in_one_order);
    any.fetch_or(std::uint64_t{1} << number / 64 % words_max, in_one_order);
    return true;
}

void MemberSet::remove(std::uint32_t number) noexcept {
    words[number / 64 % words_max].fetch_and(~(std::uint64_t{1} << number % 64), in_one_order);
}

void MemberSet::clear() noexcept {
    any.store(0, relaxed);
    for (std::atomic<std::uint64_t>& word : words) word.store(0, relaxed);
}

bool MemberSet::has(std::uint32_t number) const noexcept {
    return (words[number / 64 % words_max].load(in_one_order) >> number % 64 & 1) != 0;
}

void MemberSet::list(std::vector<std::uint32_t>& numbers) const {
    for (std::uint32_t index = 0; index < words_max; ++index)
        for (std::uint64_t bits = words[index].load(in_one_order); bits != 0; bits &= bits - 1)
            numbers.push_back(index * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
}

// First what says where to look, then what is there; adding does it the other way round.
void MemberSet::take_all(std::vector<std::uint32_t>& numbers) noexcept {
    for (std::uint64_t in = any.exchange(0, in_one_order); in != 0; in &= in - 1) {
        const auto index = static_cast<std::uint32_t>(std::countr_zero(in));
        for (std::uint64_t bits = words[index].exchange(0, in_one_order); bits != 0; bits &= bits - 1)
            numbers.push_back(index * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
}

// ---- Bells -------------------------------------------------------------------------------------------

Result<Bells> Bells::create(std::string_view session_id, std::uint64_t lane_bytes_max) {
    Result<SharedObject> object = SharedObject::create(name_of_region(session_id), region_bytes);
    if (!object) return object.error();
    Result<void> committed = object->commit(0, header_bytes);
    if (!committed) return committed.error();
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::write, 0, region_bytes);
    if (!mapping) return mapping.error();
    reinterpret_cast<Header*>(mapping->data())->lane_bytes_max.store(lane_bytes_max, relaxed);
    return Bells{std::move(*object), std::move(*mapping)};
}

Result<Bells> Bells::open(std::string_view session_id) {
    Result<SharedObject> object = SharedObject::open(name_of_region(session_id));
    if (!object) return object.error();
    if (object->size() != region_bytes)
        return Error{ErrorKind::corrupt, fmt::format("the shared memory {} has {} bytes, expected {}: it is of another "
                                                     "version of Baton", object->name(), object->size(), region_bytes)};
    Result<Mapping> mapping = Mapping::map(*object, Mapping::Access::write, 0, region_bytes);
    if (!mapping) return mapping.error();
    return Bells{std::move(*object), std::move(*mapping)};
}

void Bells::remove(std::string_view session_id) noexcept { remove_shared_object(name_of_region(session_id)); }

BellPage* Bells::page(std::uint32_t number) const noexcept {
    if (number == 0 || number > limits::actors_max) return nullptr;
    const std::size_t offset = offset_of(number);
    if (!committed_[number]) committed_[number] = object_.has_content(offset);
    return committed_[number] ? reinterpret_cast<BellPage*>(mapping_.data() + offset) : nullptr;
}

BellPage* Bells::page_of(ActorId actor) const noexcept {
    BellPage* const its = page(actor.number);
    return its != nullptr && its->id.load(std::memory_order_acquire) == packed(actor) ? its : nullptr;
}

Result<void> Bells::prepare(ActorId actor) {
    if (actor.number == 0 || actor.number > limits::actors_max)
        return Error{ErrorKind::overloaded, "the session has no bell left for another member"};
    if (Result<void> committed = object_.commit(offset_of(actor.number), BellPage::bytes); !committed) return committed;
    committed_[actor.number] = true;
    BellPage& its = *page(actor.number);
    its.id.store(0, in_one_order);
    its.asleep.store(0, relaxed);
    its.lane_bytes.store(0, relaxed);
    its.protocol.store(0, relaxed);
    its.ready.clear();
    its.lanes_to.clear();
    std::atomic<std::uint32_t>& highest = reinterpret_cast<Header*>(mapping_.data())->highest_number;
    highest.store(std::max(highest.load(relaxed), actor.number), in_one_order);
    return {};
}

// First said, then looked at: of two that would exceed it together at least one sees it.
bool Bells::claim(std::uint32_t member, std::size_t bytes) const noexcept {
    BellPage* const its = page(member);
    if (its == nullptr || bytes > lane_bytes_max()) return false;
    const std::uint64_t before = its->lane_bytes.load(relaxed);
    its->lane_bytes.store(before + bytes, in_one_order);
    if (lane_bytes() <= lane_bytes_max()) return true;
    its->lane_bytes.store(before, in_one_order);
    return false;
}

void Bells::give_back(std::uint32_t member, std::size_t bytes) const noexcept {
    BellPage* const its = page(member);
    if (its == nullptr) return;
    const std::uint64_t before = its->lane_bytes.load(relaxed);
    its->lane_bytes.store(before - std::min<std::uint64_t>(before, bytes), in_one_order);
}

std::uint64_t Bells::lane_bytes() const noexcept {
    std::uint64_t sum = 0;
    for (std::uint32_t number = 1; number <= highest_number(); ++number)
        if (const BellPage* const its = page(number); its != nullptr) sum += its->lane_bytes.load(in_one_order);
    return sum;
}

std::uint32_t Bells::highest_number() const noexcept {
    return std::min(reinterpret_cast<const Header*>(mapping_.data())->highest_number.load(in_one_order),
                    limits::actors_max);
}

std::uint64_t Bells::lane_bytes_max() const noexcept {
    return reinterpret_cast<const Header*>(mapping_.data())->lane_bytes_max.load(relaxed);
}

// ---- OwnBell -----------------------------------------------------------------------------------------

Result<OwnBell> OwnBell::create(const Bells& bells, const std::string& folder, ActorId me, std::uint64_t protocol) {
    const std::string path = folder + "/" + Bells::fifo_name(me);
    const auto failed = [&](const char* what) {
        return Error{ErrorKind::overloaded,
                     fmt::format("cannot {} {}: {}{}", what, path, std::strerror(errno), limit_behind(errno))};
    };
    BellPage* const page = bells.page(me.number);
    if (page == nullptr)
        return Error{ErrorKind::gone, fmt::format("the session holds no bell for actor {}", to_string(me))};
    if (::mkfifo(path.c_str(), 0600) != 0) return failed("make the FIFO");
    UniqueFd fifo{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
    if (!fifo.is_open()) return failed("open the FIFO");
    page->protocol.store(protocol, relaxed);
    page->id.store(packed(me), in_one_order);
    return OwnBell{*page, std::move(fifo), path};
}

Result<void> OwnBell::listen_to(const UniqueFd& fifo) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(all_.get(), EPOLL_CTL_ADD, fifo.get(), &event) == 0) return {};
    return Error{ErrorKind::overloaded, fmt::format("cannot listen to the FIFO {}: {}", path_, std::strerror(errno))};
}

Result<void> OwnBell::make_again() {
    if (::access(path_.c_str(), F_OK) == 0) return {};
    const auto failed = [&](const char* what) {
        return Error{ErrorKind::overloaded,
                     fmt::format("cannot {} {} again: {}{}", what, path_, std::strerror(errno), limit_behind(errno))};
    };
    if (removed_.size() == limits::bound_again_max)
        return Error{ErrorKind::overloaded,
                     fmt::format("cannot make the FIFO {} again: it was removed {} times already "
                                 "(limits::bound_again_max); find out what removes it",
                                 path_, limits::bound_again_max)};
    if (!all_.is_open()) {
        UniqueFd all{::epoll_create1(EPOLL_CLOEXEC)};
        if (!all.is_open()) return failed("listen to the FIFO");
        all_ = std::move(all);
        if (Result<void> listens = listen_to(fifo_); !listens) {
            all_.reset();
            return listens;
        }
    }
    if (::mkfifo(path_.c_str(), 0600) != 0) return failed("make the FIFO");
    UniqueFd fifo{::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
    if (!fifo.is_open()) return failed("open the FIFO");
    if (Result<void> listens = listen_to(fifo); !listens) return listens;
    removed_.push_back(std::exchange(fifo_, std::move(fifo)));
    return {};
}

void OwnBell::fall_asleep(std::uint32_t kinds) noexcept {
    page_->asleep.store(kinds, in_one_order);
    is_asleep_ = true;
}

void OwnBell::wake_up(bool is_readable) noexcept {
    if (std::exchange(is_asleep_, false)) page_->asleep.store(0, in_one_order);
    if (!is_readable) return;
    const auto take = [](const UniqueFd& fifo) {
        char bytes[4096];
        while (::read(fifo.get(), bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes)) continue;
    };
    take(fifo_);
    for (const UniqueFd& fifo : removed_) take(fifo);
}

// ---- Ringer ------------------------------------------------------------------------------------------

void Ringer::ring_for_command(ActorId to, const Bells& bells) noexcept {
    BellPage* const page = bells.page_of(to);
    if (page == nullptr) return;
    // As long as its owner has not taken our bit it has not looked either.
    if (page->ready.add(me_.number)) nudge(to, *page, wake::commands);
}

void Ringer::ring_for(ActorId whom, std::uint32_t kind, const Bells& bells) noexcept {
    BellPage* const page = bells.page_of(whom);
    if (page == nullptr) return;
    nudge(whom, *page, kind);
}

void Ringer::nudge(ActorId whom, BellPage& page, std::uint32_t kind) noexcept {
    pass_crash_point(CrashPoint::bell_marked);
    if ((page.asleep.load(in_one_order) & kind) == 0 || !reach(whom)) return;
    // A FIFO that is full nudges as well.
    static_cast<void>(!::write(fifos_.find(whom)->second.get(), "", 1));
}

bool Ringer::reach(ActorId whom) noexcept {
    if (fifos_.contains(whom)) return true;
    const std::string path = folder_ + "/" + Bells::fifo_name(whom);
    UniqueFd fifo{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
    struct stat facts {};
    if (!fifo.is_open() || ::fstat(fifo.get(), &facts) != 0 || !S_ISFIFO(facts.st_mode)) return false;
    fifos_.emplace(whom, std::move(fifo));
    return true;
}

void Ringer::forget(ActorId whom) noexcept { fifos_.erase(whom); }

}  // namespace baton::detail
