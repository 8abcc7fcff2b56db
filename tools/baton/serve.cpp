// baton serve, baton run: a session, by the coordinator's program in place of this one.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include <baton/sessions.hpp>
#include "tools/baton/subcommands.hpp"

namespace baton::tool {

namespace {

// Comes back only if that has failed. Its complaints name the command that the user has typed.
Error become_coordinator(std::string_view as, const program::SessionOptions& options,
                         const std::vector<std::string>& script) {
    const Result<std::string> program = find_coordinator();
    if (!program) return explained("no session can be started", program.error());
    std::vector<std::string> words{std::string(as)};
    for (std::string& word : options.arguments()) words.push_back(std::move(word));
    words.insert(words.end(), script.begin(), script.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execv(program->c_str(), pointers.data());
    return explained("no session can be started",
                     Error{ErrorKind::gone, fmt::format("cannot run {}: {}", *program, std::strerror(errno))});
}

}  // namespace

Result<Outcome> serve(const ServeOptions& options) { return become_coordinator("baton serve", options.session, {}); }

Result<Outcome> run_script(const RunOptions& options) {
    return become_coordinator("baton run", options.session, options.script);
}

}  // namespace baton::tool
