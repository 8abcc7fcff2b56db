// The actor of the tests of the edges.
#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include <baton/actor.hpp>
#include "tests/process/edge.hpp"

namespace {

void wait_for(const std::string& fifo) { ::close(::open(fifo.c_str(), O_RDONLY)); }

class Edge {
public:
    explicit Edge(baton::Context& context) : context_(&context) {}
    void on(const edge::Take&) {}
    std::string on(const edge::Block& command) {
        wait_for(command.fifo);
        return "released";
    }
    void on(const edge::AnswerInThread&, baton::Answer<std::string> answer) {
        std::thread{[answer = std::move(answer)]() mutable { answer.reply("from elsewhere"); }}.join();
    }
    edge::FloodAfter::Outcome on(const edge::FloodAfter& command) {
        edge::FloodAfter::Outcome outcome;
        context_->send(command.other, edge::Take{-1}).value();
        wait_for(command.fifo);
        while (outcome.taken < command.count) {
            const auto sent = context_->send(command.other, edge::Take{static_cast<std::int64_t>(outcome.taken)});
            if (!sent) {
                outcome.error = baton::name_of(sent.error().kind);
                break;
            }
            ++outcome.taken;
        }
        return outcome;
    }

private:
    baton::Context* context_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Edge, edge::Protocol>(argc, argv); }
