// C-raft's headers for C++: the only place that includes them. raft.h compares sizes of types that it defines
// inside sizeof, which C++ does not allow, and declares its functions without a linkage of their own.
// `raft_apply`, `raft_barrier` and others are a type and a function of one name: write `struct raft_apply`.
#pragma once
#pragma GCC system_header

// What raft.h includes, so that nothing else sees static_assert redefined.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

#define static_assert(...)
extern "C" {
#include <raft.h>
#include <raft/uv.h>
}
#undef static_assert

// The engine reads fields of struct raft that are C-raft's own (trail, legacy, configuration); they are those
// of this version. Another one needs docs/adr/0008 read again first.
#if RAFT_VERSION_NUMBER != 2201
#error "written for libraft 0.22.1"
#endif
