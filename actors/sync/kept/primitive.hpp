#pragma once
// Primitive: what everything that a keeper keeps has in common, as the keeper's actor sees it. Plain state: it knows no
// processes, messages or time, so each kind is tested by calling it.
//
// A step (a client wants something, returns something, gives up, dies) is a call. Its result is a list of Wakes: whose
// waits end, and how. A wait that is not among them goes on. Every client that waits is alive: the actor calls bury()
// for the dead before anything else.

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

// The clients that have to go on before a wait can end. Empty if it is not known who may end it.
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

    // `who` does not wait here any more; what its last wait was given in the meantime is returned.
    virtual void withdraw(const Party& who, Given given, Wakes& wakes) = 0;
    // `dead` has ended, as `how` says. Everything it had here goes on to others.
    virtual void bury(const Party& dead, const std::string& how, Wakes& wakes) = 0;
    // Of a client that waits here.
    [[nodiscard]] virtual WaitsFor waits_for(ActorId) const { return {}; }
    // It is being removed: clients that wait here leave every line. The caller ends their waits.
    virtual void forget_waits() {}
    // While clients wait: can anything go on although no message came? Only of primitives in shared memory.
    virtual void look(Wakes&) {}
    [[nodiscard]] virtual std::uint64_t count() const = 0;

private:
    std::string_view kind_;
    std::string name_;
};

}  // namespace baton::sync::kept
