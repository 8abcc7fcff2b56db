#include <baton/detail/pool/arguments.hpp>

#include <fmt/format.h>

#include <baton/dynamic.hpp>

namespace baton::detail::pool {
namespace {

std::string place(const Signature& signature, std::size_t parameter) {
    return fmt::format("{}({})", signature.name, signature.parameters[parameter].name);
}

}  // namespace

Result<Plan> Plan::make(const Signature& signature, const std::vector<Given>& given) {
    const auto refuse = [&](const std::string& why) {
        return Error{ErrorKind::refused, fmt::format("{}; it is {}", why, to_text(signature))};
    };
    Plan plan;
    const std::vector<PartDescription>& parameters = signature.parameters;
    std::vector<bool> is_taken(parameters.size());
    for (std::size_t index = 0; index < given.size(); ++index) {
        const Given& one = given[index];
        std::size_t parameter = index;
        if (!one.name.empty()) {
            const auto found = std::ranges::find(parameters, one.name, &PartDescription::name);
            if (found == parameters.end())
                return refuse(fmt::format("{} has no argument '{}'", signature.name, one.name));
            parameter = static_cast<std::size_t>(found - parameters.begin());
        }
        if (parameter >= parameters.size())
            return refuse(
                fmt::format("{} takes {} arguments, {} were given", signature.name, parameters.size(), given.size()));
        if (is_taken[parameter])
            return refuse(fmt::format("{} was given '{}' twice", signature.name, parameters[parameter].name));
        is_taken[parameter] = true;
        const Fit fit = fit_of(one.type, parameters[parameter].type);
        if (fit == Fit::never)
            return refuse(fmt::format("{}: expected {}, got {}", place(signature, parameter),
                                      detail::to_text(parameters[parameter].type), detail::to_text(one.type)));
        plan.is_straight_ = plan.is_straight_ && parameter == index && fit == Fit::always;
        plan.parameters_.push_back(parameter);
        plan.fits_.push_back(fit);
    }
    const auto missing = std::ranges::find(is_taken, false);
    if (missing != is_taken.end())
        return refuse(fmt::format("{} is missing its argument '{}'", signature.name,
                                  parameters[static_cast<std::size_t>(missing - is_taken.begin())].name));
    return plan;
}

Result<void> Plan::write(const Signature& signature, std::span<const Buffer> arguments, Buffer& out) const {
    const std::size_t before = out.size();
    for (std::size_t parameter = 0; parameter < arguments.size(); ++parameter) {
        const std::size_t index =
            static_cast<std::size_t>(std::ranges::find(parameters_, parameter) - parameters_.begin());
        if (fits_[index] == Fit::always) {
            out += arguments[index];
            continue;
        }
        const Result<dynamic::Value> value = dynamic::from_bytes(std::as_bytes(std::span(arguments[index])));
        const Result<Bytes> fitted = value ? dynamic::to_bytes(signature.parameters[parameter].type, *value,
                                                               place(signature, parameter))
                                           : Result<Bytes>{value.error()};
        if (!fitted) {
            out.resize(before);
            return fitted.error();
        }
        out.append(reinterpret_cast<const char*>(fitted->data()), fitted->size());
    }
    return {};
}

Result<void> require_result(const Signature& signature, const TypeDescription& wanted) {
    if (fit_of(signature.result, wanted) == Fit::always) return {};
    return Error{ErrorKind::refused,
                 fmt::format("{} returns {}, not {}; it is {}", signature.name, detail::to_text(signature.result),
                             detail::to_text(wanted), to_text(signature))};
}

Result<void> require_same_length(std::string_view function, std::size_t rows, std::size_t named_rows) {
    if (rows == named_rows) return {};
    return Error{ErrorKind::refused,
                 fmt::format("{}: {} rows of arguments and {} of named ones; each task needs one of both", function,
                             rows, named_rows)};
}

}  // namespace baton::detail::pool
