// baton link, baton unlink: actors that end together.
#include <fmt/format.h>

#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"

namespace baton::tool {

using namespace dynamic;

Result<Outcome> link(Visit& visit, const LinkOptions& options, const Wishes& wishes) {
    const bool links = options.what == LinkOptions::What::link;
    const std::string tried = links ? "they were not linked" : "they were not unlinked";
    const Result<std::vector<Actor>> actors = visit.find_actors({options.one, options.other}, "it can't be linked");
    if (!actors) return explained(tried, actors.error());
    const AnyRef one = actors->front().ref;
    const AnyRef other = actors->back().ref;
    Context& context = visit.session().context();
    const Result<void> done = links ? context.link(one, other) : context.unlink(one, other);
    if (!done) return explained(tried, done.error());
    if (wishes.wants_json)
        return Outcome{json_line(object({{"actors", strings({options.one, options.other})}, {"linked", {links}}}))};
    return Outcome{links ? fmt::format("{} and {} end together\n", options.one, options.other)
                         : fmt::format("{} and {} end by themselves\n", options.one, options.other)};
}

}  // namespace baton::tool
