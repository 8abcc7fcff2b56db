#pragma once
// Birth: what a process has inherited, turned into what Baton promises (docs/processes.md). A shell, a service manager,
// a container or a batch system may hand on closed streams, ignored or blocked signals and low limits; programs of ours
// begin with take_over_birth(), so that none of this changes what they do:
//
//   - Descriptors 0, 1 and 2 are open, so that nothing else can get these numbers.
//   - No signal is blocked. SIGPIPE and SIGXFSZ are caught by a handler that does nothing: a write to nobody or beyond
//   a
//     limit is an error. All other ignored signals have their default action again, except for SIGHUP (as `nohup`
//     wants it) and those of job control.
//   - The soft limit on descriptors is raised, see limits::descriptors_wanted; children inherit that.
//
// A library owns none of this and does only what is harmless to its program: take_over_for_library(). Thread rule:
// before there is a second thread.

namespace baton::detail {

enum class Birth {
    program,  // writes results to stdout: if that was closed, writing fails, so that it is noticed
    actor,    // its output may be lost
};

void take_over_birth(Birth birth) noexcept;

// Opens the descriptors 0, 1 and 2 and raises the limit on descriptors. Signals stay as they are.
void take_over_for_library() noexcept;

}  // namespace baton::detail
