#pragma once
// Primitive: what all that a keeper keeps has in common, as the keeper's actor sees it. Plain state: it knows neither
// processes nor messages nor the time, so each kind is tested by calling it.
//
// A step (a client wants something, gives something back, gives up, dies) is a call; what comes of it is told as
// Wakes: whose waits end, and how. A wait that is not among them goes on. Everybody who waits is alive: the actor
// buries the dead before it goes on.

#include <fmt/format.h>

#include <baton/sync/protocol.hpp>

namespace baton::sync::kept {

// A client, and what to call it in texts.
struct Party {
    ActorId id;
    std::string name;
};

class Wakes {
public:
    struct Wake {
        ActorId who;
        Result<Granted> outcome;
    };
    void grant(ActorId who, Granted granted = {}) { wakes_.push_back({who, std::move(granted)}); }
    void end(ActorId who, ErrorKind kind, std::string text) { wakes_.push_back({who, Error{kind, std::move(text)}}); }
    void refuse(ActorId who, std::string text) { end(who, ErrorKind::refused, std::move(text)); }
    [[nodiscard]] std::vector<Wake> take() { return std::exchange(wakes_, {}); }

private:
    std::vector<Wake> wakes_;
};

// Without whom a wait can't end: each of them has to go on first. Nobody, where it is not known who may end it.
struct WaitsFor {
    std::vector<ActorId> whom = {};
    std::string text = {};  // "waits for lock 'left' held by", and then comes a name
};

// What the last wait of a client had brought when it gave up.
enum class Given { nothing, grant, item };

class Primitive {
public:
    Primitive(std::string_view kind, std::string name) : kind_(kind), name_(std::move(name)) {}
    virtual ~Primitive() = default;
    Primitive(const Primitive&) = delete;
    Primitive& operator=(const Primitive&) = delete;

    [[nodiscard]] std::string_view kind() const noexcept { return kind_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::string to_text() const { return fmt::format("{} '{}'", kind_, name_); }

    // `who` waits here no more; what its last wait was given meanwhile is given back.
    virtual void withdraw(const Party& who, Given given, Wakes& wakes) = 0;
    // `dead` has ended, as `how` says. Everything it had here goes on to others.
    virtual void bury(const Party& dead, const std::string& how, Wakes& wakes) = 0;
    // Of one who waits here.
    [[nodiscard]] virtual WaitsFor waits_for(ActorId) const { return {}; }
    // It is removed: those that wait here are in no line any more, and get nothing. Whoever removes it ends their
    // waits.
    virtual void forget_waits() {}
    // Clients that wait: does anything go on without having been told? Only where memory is shared.
    virtual void look(Wakes&) {}
    [[nodiscard]] virtual std::uint64_t count() const = 0;

private:
    std::string_view kind_;
    std::string name_;
};

}  // namespace baton::sync::kept
