#pragma once
// What the programs that Baton is measured against share: cppzmq and msgpack-cxx as their users write them.
// Knows nothing of Baton.
//
// Choices: the sbuffer is reused from message to message; a message is unpacked into a reused zone, its
// strings referring to the received bytes, and converted by MSGPACK_DEFINE_MAP. Sends block at the
// high-water mark.

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <msgpack.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>
#include <zmq.hpp>

namespace raw {

inline constexpr int high_water_messages = 1000;
inline constexpr int wait_ms_max = 30'000;

// Turns values into messages and back; keeps its memory from one message to the next.
class MsgpackCodec {
public:
    template <class T>
    zmq::message_t encode(const T& value) {
        buffer_.clear();
        msgpack::pack(buffer_, value);
        return {buffer_.data(), buffer_.size()};
    }

    template <class T>
    T decode(const zmq::message_t& message) {
        zone_.clear();
        std::size_t offset = 0;
        bool is_referenced = false;
        const auto refer = [](msgpack::type::object_type, std::size_t, void*) { return true; };
        const msgpack::object object =
            msgpack::unpack(zone_, message.data<char>(), message.size(), offset, is_referenced, refer);
        return object.template as<T>();
    }

private:
    msgpack::sbuffer buffer_;
    msgpack::zone zone_;
};

class Folder {
public:
    Folder() {
        const char* runtime_folder = std::getenv("XDG_RUNTIME_DIR");
        path_ = std::string(runtime_folder != nullptr ? runtime_folder : "/tmp") + "/raw_zmq.XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string endpoint() const { return "ipc://" + path_ + "/socket"; }

private:
    std::string path_;
};

// This program once more, with other arguments.
class Child {
public:
    explicit Child(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "raw");
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        const int error = ::posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
        if (error != 0) throw std::system_error(error, std::generic_category(), "posix_spawn");
    }
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    Child& operator=(Child&&) = delete;
    ~Child() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] pid_t pid() const { return pid_; }
    void wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        if (status != 0) throw std::runtime_error("a child failed");
    }

private:
    pid_t pid_ = -1;
};

inline zmq::socket_t make_socket(zmq::context_t& context, zmq::socket_type type) {
    zmq::socket_t socket{context, type};
    socket.set(zmq::sockopt::sndhwm, high_water_messages);
    socket.set(zmq::sockopt::rcvhwm, high_water_messages);
    socket.set(zmq::sockopt::sndtimeo, wait_ms_max);
    socket.set(zmq::sockopt::rcvtimeo, wait_ms_max);
    // A ROUTER ends with an answer that must still go out, a DEALER with one that has come in.
    const bool is_router = type == zmq::socket_type::router;
    socket.set(zmq::sockopt::linger, is_router ? wait_ms_max : 0);
    if (is_router) socket.set(zmq::sockopt::router_mandatory, true);
    return socket;
}

inline void send(zmq::socket_t& socket, zmq::message_t message, zmq::send_flags flags = zmq::send_flags::none) {
    if (!socket.send(message, flags)) throw std::runtime_error("the peer takes no messages");
}

inline void receive(zmq::socket_t& socket, zmq::message_t& message) {
    if (!socket.recv(message)) throw std::runtime_error("the peer is silent");
}

}  // namespace raw
