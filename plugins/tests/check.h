// The little that these tests need of a framework: a check that says what failed, and goes on.
#pragma once

#include <cstdio>

inline int& failures() {
    static int count = 0;
    return count;
}

#define CHECK(CONDITION)                                                           \
    do {                                                                           \
        if (!(CONDITION)) {                                                        \
            std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #CONDITION); \
            ++failures();                                                          \
        }                                                                          \
    } while (false)

// What CTest takes for a test that was skipped.
constexpr int kSkipped = 77;
