#include "actors/sync/kept/channel.hpp"

namespace baton::sync::kept {

std::pair<std::unique_ptr<ChannelEnd>, std::unique_ptr<ChannelEnd>> ChannelEnd::make(const std::string& name,
                                                                                     std::uint64_t bound) {
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

void ChannelEnd::send(const Party& who, Bytes item, Wakes& wakes) {
    if (!is_open_to(who, wakes)) return;
    sending_ = std::move(item);
    other_->move_on(wakes);
}

void ChannelEnd::receive(const Party& who, Wakes& wakes) {
    if (!is_open_to(who, wakes)) return;
    received_.reset();
    receives_ = true;
    move_on(wakes);
}

void ChannelEnd::poll(const Party& who, Wakes& wakes) {
    if (!is_open_to(who, wakes)) return;
    polls_ = true;
    move_on(wakes);
}

void ChannelEnd::let_in(Wakes& wakes) {
    if (!other_->sending_) return;
    if (!closed_.empty()) {
        wakes.end(other_->owner_.id, ErrorKind::gone,
                  fmt::format("nobody receives at the other end of {}: {}", to_text(), closed_));
    } else {
        const std::size_t bytes = other_->sending_->size();
        const bool has_room = items_.size() < bound_ && (items_.empty() || bytes_ + bytes <= limits::queue_bytes_max);
        if (!has_room) return;
        bytes_ += bytes;
        items_.push_back(std::move(*other_->sending_));
        wakes.grant(other_->owner_.id);
    }
    other_->sending_.reset();
}

void ChannelEnd::move_on(Wakes& wakes) {
    let_in(wakes);
    const bool is_over = items_.empty() && !other_->closed_.empty();
    if (!(receives_ || polls_) || (items_.empty() && !is_over)) return;
    if (is_over) {
        wakes.end(owner_.id, ErrorKind::gone,
                  fmt::format("nothing more will come through {}: {}", to_text(), other_->closed_));
    } else if (polls_) {
        wakes.grant(owner_.id);
    } else {
        received_ = std::move(items_.front());
        items_.pop_front();
        bytes_ -= received_->size();
        wakes.grant(owner_.id, {.item = *received_});
        let_in(wakes);
    }
    receives_ = polls_ = false;
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
    receives_ = polls_ = false;
    sending_.reset();
    move_on(wakes);
    other_->move_on(wakes);
}

void ChannelEnd::withdraw(const Party& who, Given given, Wakes& wakes) {
    if (who.id != owner_.id) return;
    receives_ = polls_ = false;
    sending_.reset();
    if (given != Given::item || !received_) return;
    bytes_ += received_->size();
    items_.push_front(std::move(*received_));
    received_.reset();
    move_on(wakes);
}

void ChannelEnd::bury(const Party& dead, const std::string& how, Wakes& wakes) {
    if (dead.id == owner_.id && closed_.empty()) end(how, wakes);
}

}  // namespace baton::sync::kept
