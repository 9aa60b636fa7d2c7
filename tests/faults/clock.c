/* A wall clock that jumps: two days on after JUMP_AFTER seconds of a process's life, and then a week back. The
   monotonic clock is left alone. Built and preloaded by test_named.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long jump(void) {
    static int (*real)(clockid_t, struct timespec *);
    static time_t began;
    struct timespec now;
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    real(CLOCK_MONOTONIC, &now);
    if (!began) began = now.tv_sec;
    long after = getenv("JUMP_AFTER") ? atol(getenv("JUMP_AFTER")) : 3;
    long lived = now.tv_sec - began;
    return lived < after ? 0 : lived < 2 * after ? 2 * 86400 : -7 * 86400;
}

int clock_gettime(clockid_t id, struct timespec *out) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(id, out);
    if (!status && id == CLOCK_REALTIME) out->tv_sec += jump();
    return status;
}

int gettimeofday(struct timeval *out, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
