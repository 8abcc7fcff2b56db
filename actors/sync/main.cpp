#include "actors/sync/sync_actor.hpp"
#include <baton/actor.hpp>

int main(int argc, char** argv) { return baton::run_actor<baton::sync::SyncActor, baton::sync::Protocol>(argc, argv); }
