#pragma once
// Progress: how far a long job is, for people, on stderr: a bar on a terminal, plain lines elsewhere.
//
//     baton::Progress progress{"reading", files.size(), "files"};
//     for (const File& file : files) {
//         read(file);
//         progress.reach(++done);
//     }
//
// The bar is redrawn in place, at most 20 times a second, and ends with the true count and the time that it took.
// Elsewhere one line is written at the start and one at the end. Nothing is written for a job of fewer than two steps.
// A stderr that is closed, full or unread neither ends nor holds up the job. Thread rule: one thread.

#include <cstdint>
#include <string>
#include <string_view>

#include <baton/time.hpp>

namespace baton {

class Progress {
public:
    // `unit` in the plural: "actors", "tasks".
    Progress(std::string what, std::uint64_t total, std::string unit);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void reach(std::uint64_t done);
    // What is being done now, if that changes on the way.
    void rename(std::string_view what) { what_ = what; }
    // Writes the last state; the destructor does the same.
    void end();

private:
    void draw();
    detail::SystemClock clock_;
    std::string what_;
    std::string unit_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    Instant started_;
    Instant drawn_{};
    bool is_terminal_;
    bool has_ended_ = false;
};

}  // namespace baton
