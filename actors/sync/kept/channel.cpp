#include "actors/sync/kept/channel.hpp"

namespace baton::sync::kept {

using namespace detail;

std::pair<std::unique_ptr<ChannelEnd>, std::unique_ptr<ChannelEnd>> ChannelEnd::make(const std::string& name, std::uint64_t bound) {
    std::unique_ptr<ChannelEnd> first{new ChannelEnd{name, bound}};
    std::unique_ptr<ChannelEnd> second{new ChannelEnd{name, bound}};
    first->other_ = second.get();
    second->other_ = first.get();
    return {std::move(first), std::move(second)};
}

Result<void> ChannelEnd::claim(const Party& who) {
    if (!closed_.empty()) return Error{ErrorKind::refused, fmt::format("{} is closed: {}", to_text(), closed_)};
    if (!owner_.id.is_somebody()) owner_ = who;
    if (owner_.id == who.id) return {};
    return Error{ErrorKind::refused, fmt::format("{} belongs to {}", to_text(), owner_.name)};
}

bool ChannelEnd::is_open_to(const Party& who, Wakes& wakes) {
    const Result<void> claimed = claim(who);
    if (!claimed) wakes.end(who.id, claimed.error().kind, claimed.error().text);
    return claimed.ok();
}

void ChannelEnd::say(const Party& who, Bytes item, Wakes& wakes) {
    if (!is_open_to(who, wakes)) return;
    saying_ = std::move(item);
    other_->move_on(wakes);
}

void ChannelEnd::hear(const Party& who, Wakes& wakes) {
    if (!is_open_to(who, wakes)) return;
    heard_.reset();
    hears_ = true;
    move_on(wakes);
}

void ChannelEnd::poll(const Party& who, Wakes& wakes) {
    if (!is_open_to(who, wakes)) return;
    polls_ = true;
    move_on(wakes);
}

void ChannelEnd::let_in(Wakes& wakes) {
    if (!other_->saying_) return;
    if (!closed_.empty()) {
        wakes.end(other_->owner_.id, ErrorKind::gone, fmt::format("nobody hears at the other end of {}: {}", to_text(), closed_));
    } else {
        const std::size_t bytes = other_->saying_->size();
        const bool has_room = items_.size() < bound_ && (items_.empty() || bytes_ + bytes <= limits::queue_bytes_max);
        if (!has_room) return;
        bytes_ += bytes;
        items_.push_back(std::move(*other_->saying_));
        wakes.grant(other_->owner_.id);
    }
    other_->saying_.reset();
}

void ChannelEnd::move_on(Wakes& wakes) {
    let_in(wakes);
    const bool is_over = items_.empty() && !other_->closed_.empty();
    if (!(hears_ || polls_) || (items_.empty() && !is_over)) return;
    if (is_over) {
        wakes.end(owner_.id, ErrorKind::gone, fmt::format("nothing more will come through {}: {}", to_text(), other_->closed_));
    } else if (polls_) {
        wakes.grant(owner_.id);
    } else {
        heard_ = std::move(items_.front());
        items_.pop_front();
        bytes_ -= heard_->size();
        wakes.grant(owner_.id, {.item = *heard_});
        let_in(wakes);
    }
    hears_ = polls_ = false;
}

Result<void> ChannelEnd::close(const Party& who, Wakes& wakes) {
    if (Result<void> claimed = claim(who); !claimed) return claimed;
    end(fmt::format("{} has closed its end", who.name), wakes);
    return {};
}

void ChannelEnd::end(const std::string& why, Wakes& wakes) {
    closed_ = why;
    items_.clear();
    bytes_ = 0;
    hears_ = polls_ = false;
    saying_.reset();
    move_on(wakes);
    other_->move_on(wakes);
}

void ChannelEnd::withdraw(const Party& who, Given given, Wakes& wakes) {
    if (who.id != owner_.id) return;
    hears_ = polls_ = false;
    saying_.reset();
    if (given != Given::item || !heard_) return;
    bytes_ += heard_->size();
    items_.push_front(std::move(*heard_));
    heard_.reset();
    move_on(wakes);
}

void ChannelEnd::bury(const Party& dead, const std::string& how, Wakes& wakes) {
    if (dead.id == owner_.id && closed_.empty()) end(how, wakes);
}

}  // namespace baton::sync::kept
