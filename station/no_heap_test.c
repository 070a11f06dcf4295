/* station/no_heap_test.c - the core takes no memory after it was started: malloc and its like are
 * wrapped (CMakeLists.txt) and end the program while the switch is on. The world of the test takes
 * none either; that the switch works is shown by a child that dies of it. */
#include "station/world_test.h"
#include <sys/wait.h>
#include <unistd.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);

static bool forbidden;

static void judge(void)
{
    static const char text[] = "memory was taken after the start\n";

    if (!forbidden)
        return;
    if (write(2, text, sizeof text - 1) < 0)
        _exit(4);
    _exit(3); /* no abort(): a sanitizer would take memory for its report */
}

void *__wrap_malloc(size_t n)
{
    judge();
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t each)
{
    judge();
    return __real_calloc(n, each);
}

void *__wrap_realloc(void *p, size_t n)
{
    judge();
    return __real_realloc(p, n);
}

static void test_the_switch(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        void *volatile p;

        forbidden = true;
        p = malloc(10);
        free(p);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3,
          "malloc is wrapped");
}

/* Sessions on both connectors, on line and off, settings, profiles, list, reservation, faults. */
static void session(struct world *w)
{
    world_run(w, 2000);
    world_set(w, "MeterValueSampleInterval", "10");
    world_call(w, "SendLocalList",
               "{\"listVersion\":1,\"updateType\":\"Full\",\"localAuthorizationList\":"
               "[{\"idTag\":\"TAG2\",\"idTagInfo\":{\"status\":\"Accepted\"}}]}");
    world_call(
        w, "SetChargingProfile",
        "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":1,\"stackLevel\":0,"
        "\"chargingProfilePurpose\":\"ChargePointMaxProfile\",\"chargingProfileKind\":"
        "\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
        "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":10}]}}}");
    world_call(w, "GetConfiguration", "{}");
    world_call(w, "GetCompositeSchedule", "{\"connectorId\":1,\"duration\":600}");
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG1");
    world_run(w, 60000);
    world_hang_up(w);
    world_plug(w, 2, true);
    world_tag(w, 2, "TAG2");
    world_run(w, 60000);
    CHECK(amp_station_fault(w->st, 2, AMP_ERROR_GROUND, AMP_NO_TEXT, w->now) == 0, "fault");
    world_run(w, 5000);
    CHECK(amp_station_fault(w->st, 2, AMP_ERROR_NONE, AMP_NO_TEXT, w->now) == 0, "cleared");
    world_tag(w, 1, "TAG1");
    world_plug(w, 1, false);
    world_plug(w, 2, false);
    world_call(w, "RemoteStartTransaction", "{\"connectorId\":1,\"idTag\":\"TAG1\"}");
    world_plug(w, 1, true);
    world_run(w, 30000);
    world_plug(w, 1, false);
    world_run(w, 400000);
}

static void test_no_memory_after_start(void)
{
    static struct world w;

    world_open(&w);
    forbidden = true;
    session(&w);
    forbidden = false;
    CHECK(w.started >= 2, "%u transactions", w.started);
    for (unsigned i = 0; i < w.tx_count; i++)
        CHECK(w.tx[i].stops == 1, "transaction %lld is told complete", (long long)w.tx[i].id);
    CHECK(amp_station_queued(w.st) == 0, "all delivered");
    world_close(&w);
}

int main(void)
{
    RUN(test_the_switch);
    RUN(test_no_memory_after_start);
    return check_end();
}
