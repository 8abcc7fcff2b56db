#include "actors/student/student_actor.hpp"
#include <baton/actor.hpp>

int main(int argc, char** argv) { return baton::run_actor<student::Student, student::Protocol>(argc, argv); }
