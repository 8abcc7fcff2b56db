#include "python/extension/rows.hpp"

#include "python/extension/ref.hpp"

namespace baton::python {

py::object seconds_or_none(const std::optional<Duration>& time) {
    if (!time) return py::none();
    return py::float_(std::chrono::duration<double>(*time).count());
}

py::object exit_row(const std::string& name, const Exit& exit) {
    py::list letters;
    for (const DeadLetter& letter : exit.dead_letters)
        letters.append(py::make_tuple(letter.from, letter.command, letter.count));
    py::dict lost;
    for (const auto& [receiver, count] : exit.lost) lost[py::str(receiver)] = count;
    const char* kind = "running";
    switch (exit.kind) {
        case ExitKind::running: break;
        case ExitKind::stopped: kind = "stopped"; break;
        case ExitKind::returned: kind = "returned"; break;
        case ExitKind::signalled: kind = "signalled"; break;
        case ExitKind::failed_check: kind = "failed_check"; break;
        case ExitKind::left: kind = "left"; break;
        case ExitKind::children_failed: kind = "children_failed"; break;
    }
    std::string unclaimed;
    for (const auto& one : exit.unclaimed) unclaimed += (unclaimed.empty() ? "" : ", ") + to_text(one);
    return py::make_tuple(name, kind, exit.code, exit.text, exit.in_hand, letters, exit.held ? to_text(*exit.held) : "",
                          unclaimed, seconds_or_none(exit.restarts_in), to_text(exit), lost);
}

py::list ended_rows(const std::vector<Ended>& all) {
    py::list list;
    for (const Ended& one : all) list.append(py::make_tuple(to_py(one.actor), exit_row(one.name, one.exit)));
    return list;
}

}  // namespace baton::python
