/* central/load_sim_test.c - two hundred cars at a site whose fuses would carry a third of them: the
 * real currents, summed on every phase of every fuse at every second, never pass a limit, while
 * cars come and go, lines break, stations restart, the central system dies and comes back, and
 * others on the same fuse take more or less. */
#include "central/load_site_test.h"

#define MINUTE  ((uint64_t)60000)
#define NODES   (1 + FEEDERS)
#define FEEDERS 4
#define OTHERS  8 /* others draw at most this part of the site's limit */
#define LOWEST  7 /* tenths of it that a signal leaves at least */

/* ---- how a site is laid out ---- */

struct layout {
    const char *name;
    int stations;
    uint64_t minutes;
    int32_t site_da, feeder_da, charger_da, base_da;
    enum load_rule rule;
    bool trouble; /* lines break, stations restart, the central system dies */
    bool trust;   /* cars keep the phases that they were seen to use */
    bool moods;   /* others take more or less, limits fall and rise */
};

static const struct layout *lay;
static struct site site;

/* What the site carries beside the cars: real, and reported with each change. */
static int32_t others_da[LOAD_PHASES];
static int32_t limit_da;       /* of the site, now */
static uint64_t excused_until; /* a limit fell, or others took more: the time that obeying takes */

/* A look (1 s), who does not answer (4 s) is not counted on, a look, two calls to a station with up
 * to 2 s each, and cars (5 s); rounded up. */
#define OBEY_MS 20000

static void put_group(const char *id, const char *parent, int32_t da)
{
    struct load_group_fact g;
    struct load_fault fault;

    loads_group_defaults(&g);
    g.org = ORG_DEFAULT;
    g.id = g.name = amp_text_of(id);
    g.parent = amp_text_of(parent);
    g.limit_da = da;
    g.rule = (int32_t)lay->rule;
    g.turn_s = 300;
    if (!parent &&
        lay->moods) { /* what must hold when nobody is there to tell of signals and meters */
        g.reserve_da = da / OTHERS;
        g.fallback_da = da * LOWEST / 10;
    }
    CHECK(loads_put_group(site.loads, &g, &fault) == 0, "%s: %s", id, fault.why);
}

static const char *feeder_of(int station, char out[16])
{
    snprintf(out, 16, "feeder%d", station % FEEDERS + 1);
    return out;
}

static void lay_out(void)
{
    char name[16];

    put_group("site", NULL, lay->site_da);
    for (int i = 0; i < FEEDERS; i++)
        put_group(feeder_of(i, name), "site", lay->feeder_da);
    for (int i = 0; i < lay->stations; i++) {
        struct stage_station *t = site.stations[i];
        struct charger *c =
            world_charger_meet(site.world, amp_text_of(t->identity), site_unix(&site));
        struct load_member_fact m = { .charger = charger_fact(c)->key,
                                      .org = ORG_DEFAULT,
                                      .group = amp_text_of(feeder_of(i, name)),
                                      .connectors = EACH,
                                      .limit_da = lay->charger_da,
                                      .max_da = 320,
                                      .base_da = lay->base_da,
                                      .phases = t->config.phases[1],
                                      .trust_phases = lay->trust,
                                      .priority = i % 3,
                                      .rotation = i % LOAD_PHASES };
        struct load_fault fault;

        CHECK(loads_put_member(site.loads, &m, 1, &fault) == 0, "%s: %s", t->identity, fault.why);
    }
    limit_da = lay->moods ? lay->site_da * LOWEST / 10 : lay->site_da;
}

/* ---- what really flows ---- */

static double flows[NODES][LOAD_PHASES], fuse[STATIONS][LOAD_PHASES];
static double obeying[LOAD_PHASES]; /* of it, of stations that could be told for long enough */
static uint64_t reached_since[STATIONS];
static double worst_part, used_ah, could_ah, known_ah;
static unsigned passed, seconds, excused, helpless;
static bool harmed; /* a limit fell, and the site was not within it since */

static void add_car(int station, const struct bay *b)
{
    const struct vehicle *v = &b->vehicle;
    int phases = b->phases;

    if (!b->occupied || v->current_a <= 0)
        return;
    if (v->kind->phases < phases)
        phases = v->kind->phases;
    for (int p = 0; p < phases; p++) {
        int line = (station + p) % LOAD_PHASES; /* rotation: station % 3 */

        flows[0][line] += v->current_a;
        if (reached_since[station] && site_now(&site) - reached_since[station] >= OBEY_MS)
            obeying[line] += v->current_a;
        flows[1 + station % FEEDERS][line] += v->current_a;
        fuse[station][line] += v->current_a;
    }
}

static void over(const char *what, int number, double amps, int32_t limit)
{
    if (amps * 10 / limit > worst_part)
        worst_part = amps * 10 / limit;
    if (amps <= limit / 10.0 + 0.05)
        return;
    if (passed++ < 5)
        CHECK(false, "%s: at %llu s %s %d carries %.2f A of %.1f", lay->name,
              (unsigned long long)site_now(&site) / 1000, what, number, amps, limit / 10.0);
    check_bad++;
}

static bool reached(const struct stage_station *t)
{
    return site.alive && t->up && t->dark_until <= site_now(&site);
}

/* A limit that fell while somebody could not be reached: everybody else has given up everything,
 * and more cannot be done until the lease of those is over. */
static bool powerless(int phase)
{
    return harmed && obeying[phase] < 0.1;
}

static void look_at_fuses(void)
{
    bool strict = site_now(&site) >= excused_until;
    unsigned within = 0;

    memset(obeying, 0, sizeof obeying);
    for (int i = 0; i < lay->stations; i++)
        reached_since[i] = !reached(site.stations[i]) ? 0
                           : reached_since[i]         ? reached_since[i]
                                                      : site_now(&site);
    memset(flows, 0, sizeof flows);
    memset(fuse, 0, sizeof fuse);
    for (int i = 0; i < lay->stations; i++)
        for (int c = 1; c <= EACH; c++)
            add_car(i, &site.stations[i]->plant.bays[c]);
    seconds++;
    excused += !strict;
    helpless += strict && harmed && (powerless(0) || powerless(1) || powerless(2));
    for (int p = 0; p < LOAD_PHASES; p++) {
        if (flows[0][p] + others_da[p] / 10.0 <= limit_da / 10.0)
            within |= 1u << p;
        if (strict && !powerless(p))
            over("the site, phase", p + 1, flows[0][p] + others_da[p] / 10.0, limit_da);
        used_ah += flows[0][p] / 3600;
        for (int f = 1; f < NODES; f++)
            over("feeder", f, flows[f][p], lay->feeder_da);
        for (int i = 0; i < lay->stations && lay->charger_da > 0; i++)
            over("station", i + 1, fuse[i][p], lay->charger_da);
    }
    if (within == 7)
        harmed = false; /* from here on nothing is an excuse until a limit falls again */
}

/* What somebody could hand out who needs no messages and knows what each car takes; and on which
 * phases, or (`wired`) only what its connector has. */
static double optimum_ah(unsigned every_s, bool wired)
{
    static struct load_want w[STATIONS * EACH];
    static struct load_share out[STATIONS * EACH];
    struct load_node nodes[NODES + STATIONS];
    static int really[STATIONS * EACH];
    struct load_site s = { nodes, w, NODES, 0, LOAD_EQUAL, 0, 0 };
    double ah = 0;

    for (int n = 0; n < NODES; n++) {
        int32_t da = n ? lay->feeder_da : limit_da;

        nodes[n] =
            (struct load_node){ .parent = n ? 0 : -1, .limit_da = { da, da, da, LOAD_OPEN } };
    }
    memcpy(nodes[0].other_da, others_da, sizeof others_da);
    for (int i = 0; i < lay->stations; i++) {
        int32_t node = 1 + i % FEEDERS, da = lay->charger_da;

        if (da > 0) {
            node = (int32_t)s.node_count++;
            nodes[node] = (struct load_node){ .parent = 1 + i % FEEDERS,
                                              .limit_da = { da, da, da, LOAD_OPEN } };
        }
        for (int c = 1; c <= EACH; c++) {
            const struct bay *b = &site.stations[i]->plant.bays[c];
            int phases = b->vehicle.kind ? b->vehicle.kind->phases : 0;
            unsigned mask = 0;

            if (!b->occupied || vehicle_full(&b->vehicle) || !site.stations[i]->drivers[c].tagged)
                continue;
            for (int p = 0; p < phases && p < site.stations[i]->config.phases[c]; p++)
                mask |= 1u << ((i + p) % LOAD_PHASES);
            really[s.want_count] = __builtin_popcount(mask);
            if (wired && site.stations[i]->config.phases[c] == 3)
                mask = 7;
            w[s.want_count] =
                (struct load_want){ .id = i * 8 + c,
                                    .node = node,
                                    .phases = (uint8_t)mask,
                                    .wants = true,
                                    .fixed_da = -1,
                                    .max_da = (int32_t)(b->vehicle.kind->limit_a * 10) };
            s.want_count++;
        }
    }
    load_share(&s, out);
    for (uint32_t i = 0; i < s.want_count; i++)
        ah += out[i].da / 10.0 * really[i] * every_s / 3600;
    return ah;
}

/* ---- people ---- */

static unsigned sessions;

static void drive(struct stage_station *t, int c)
{
    static const char *const kinds[] = { "compact", "commuter", "van", "hybrid", "rickshaw" };
    struct driver *d = &t->drivers[c];
    uint64_t now = site_now(&site);
    struct amp_connector_info info;

    if (!t->st || (d->comes && now < d->comes))
        return;
    if (d->comes) {
        if (plant_arrive(&t->plant, t->st, c, vehicle_find(kinds[site_dice(&site, 5)]),
                         site_dice(&site, 1u << 30)) == 0) {
            d->comes = 0;
            d->tags = now + 5000;
            d->leaves = now + (20 + site_dice(&site, 50)) * MINUTE;
        }
    } else if (d->tags && now >= d->tags) {
        char tag[24];

        snprintf(tag, sizeof tag, "TAG%03d%d", t->number, c);
        d->tags = 0;
        d->tagged = amp_station_tag(t->st, c, amp_text_of(tag), now) == 0;
        sessions += d->tagged;
    } else if (d->leaves && now >= d->leaves) {
        if (amp_station_connector(t->st, c, &info) == 0 && info.in_transaction)
            (void)amp_station_stop(t->st, c, AMP_STOP_LOCAL, now);
        CHECK(plant_leave(&t->plant, t->st, c) == 0, "a car leaves");
        d->tagged = false;
        d->leaves = 0;
        d->comes = now + (1 + site_dice(&site, 15)) * MINUTE;
    } else {
        return;
    }
    t->wakes = now;
}

/* ---- trouble ---- */

static uint64_t dead_until;
static unsigned deaths, cuts, darks, falls;

/* Once in so many seconds at a site of a hundred stations. */
static bool often(uint32_t every_s)
{
    return site_dice(&site, every_s * STATIONS / (uint32_t)lay->stations) == 0;
}

static void make_trouble(void)
{
    uint64_t now = site_now(&site);
    struct stage_station *t = site.stations[site_dice(&site, (uint32_t)lay->stations)];

    if (now < 5 * MINUTE)
        return;
    if (often(60)) {
        site_go_dark(t, 20000 + site_dice(&site, 8 * MINUTE));
        darks++;
    }
    if (often(90))
        site_drop(t);
    if (often(150) && t->st) {
        site_cut(t);
        cuts++;
    }
    if (site.alive && site_dice(&site, 900) == 0) {
        site_death(&site);
        dead_until = now + 20000 + site_dice(&site, (uint32_t)(10 * MINUTE));
        deaths++;
    } else if (!site.alive && now >= dead_until) {
        site_birth(&site);
    }
}

/* Others take more or less; a limit falls and comes back. Told at once; when it was to our harm,
 * the site has the time that obeying takes. Nobody asks much while nobody could hear it. */
static void make_moods(void)
{
    uint64_t now = site_now(&site);
    const struct load_group_fact *g;
    int32_t limit = limit_da;
    bool harm = false;

    if (!site.alive || now < 5 * MINUTE || now % 30000 || site_dice(&site, 3))
        return;
    g = loads_group(site.loads, ORG_DEFAULT, AMP_TEXT("site"));
    for (int p = 0; p < LOAD_PHASES; p++) {
        int32_t da = (int32_t)site_dice(&site, (uint32_t)lay->site_da / OTHERS);

        harm = harm || da > others_da[p];
        others_da[p] = da;
    }
    loads_report(site.loads, g, others_da, false, site_unix(&site) + 36000000, site_unix(&site));
    if (site_dice(&site, 4) == 0)
        limit = lay->site_da * (LOWEST + (int32_t)site_dice(&site, 11 - LOWEST)) / 10;
    if (limit != limit_da) {
        struct load_group_fact fresh = *loads_group(site.loads, ORG_DEFAULT, AMP_TEXT("site"));

        falls += limit < limit_da;
        harm = harm || limit < limit_da;
        fresh.signal_da = limit;
        fresh.signal_until_ms = site_unix(&site) + 36000000;
        loads_put_reported(site.loads, &fresh);
        limit_da = limit;
    }
    harmed = harmed || harm;
    if (harm)
        excused_until = now + OBEY_MS;
}

/* ---- a day ---- */

static void run(const struct layout *l, uint32_t seed)
{
    uint64_t calls;

    lay = l;
    worst_part = used_ah = could_ah = known_ah = 0;
    harmed = false;
    memset(reached_since, 0, sizeof reached_since);
    passed = seconds = excused = helpless = sessions = deaths = cuts = darks = falls = 0;
    excused_until = dead_until = 0;
    memset(others_da, 0, sizeof others_da);
    site_open(&site, l->stations, seed);
    lay_out();
    for (int i = 0; i < l->stations; i++)
        for (int c = 1; c <= EACH; c++)
            site.stations[i]->drivers[c].comes = MINUTE + site_dice(&site, (uint32_t)(12 * MINUTE));
    while (site_now(&site) < l->minutes * MINUTE && passed < 5) {
        posix_clock_turn(&site.clock, 1000);
        if (l->trouble)
            make_trouble();
        if (l->moods)
            make_moods();
        for (int i = 0; i < l->stations; i++) {
            for (int c = 1; c <= EACH; c++)
                drive(site.stations[i], c);
            site_turn_station(site.stations[i]);
        }
        site_turn_central(&site);
        look_at_fuses();
        if (seconds % 10 == 0) {
            could_ah += optimum_ah(10, false);
            known_ah += optimum_ah(10, true);
        }
    }
    calls = site.calls;
    printf("%s: %d connectors, %llu min, %u sessions; highest load %.1f %% of a limit; "
           "%.0f Ah, %.1f %% of what was possible, %.1f %% with three phases a car; %.2f calls/s, "
           "%llu refused; plan %lld us, "
           "at most %lld us; %u s excused, %u s powerless, %u falls, %u deaths, %u power cuts, %u "
           "lost lines\n",
           l->name, l->stations * EACH, (unsigned long long)l->minutes, sessions, worst_part * 100,
           used_ah, used_ah / could_ah * 100, used_ah / known_ah * 100, (double)calls / seconds,
           (unsigned long long)site.refusals,
           (long long)(site.plans ? site.plan_us / (int64_t)site.plans : 0),
           (long long)site.plan_most_us, excused, helpless, falls, deaths, cuts, darks);
    CHECK(passed == 0, "a limit was passed");
    CHECK(sessions > 0 && used_ah > 0, "cars charge");
    site_close(&site);
}

static void test_two_hundred(void)
{
    static const struct layout l = { .name = "two hundred",
                                     .stations = STATIONS,
                                     .minutes = 60,
                                     .site_da = 12000,
                                     .feeder_da = 3500,
                                     .charger_da = 400,
                                     .base_da = LOAD_NONE,
                                     .rule = LOAD_EQUAL };

    run(&l, 11);
    CHECK(used_ah > 0.7 * could_ah, "what is there is used: %.0f of %.0f Ah", used_ah, could_ah);
}

/* The same day, and cars with one phase at a connector with three are counted on that one. */
static void test_trusted(void)
{
    static const struct layout l = { .name = "trusted",
                                     .stations = STATIONS,
                                     .minutes = 60,
                                     .site_da = 12000,
                                     .feeder_da = 3500,
                                     .charger_da = 400,
                                     .base_da = LOAD_NONE,
                                     .rule = LOAD_EQUAL,
                                     .trust = true };

    run(&l, 11);
    CHECK(used_ah > 0.8 * could_ah, "what is there is used: %.0f of %.0f Ah", used_ah, could_ah);
}

static const struct layout crowded = { .name = "trouble",
                                       .stations = STATIONS,
                                       .minutes = 60,
                                       .site_da = 8000,
                                       .feeder_da = 2500,
                                       .charger_da = 400,
                                       .base_da = LOAD_NONE,
                                       .rule = LOAD_PRIORITY,
                                       .trouble = true,
                                       .moods = true };

/* Not all can have 6 A at a time; everything that can go wrong does. */
static void test_trouble(void)
{
    run(&crowded, 5);
    CHECK(deaths > 0 && cuts > 0 && darks > 0 && falls > 0, "there was trouble");
}

static const struct layout lent = { .name = "fail-safe",
                                    .stations = 8,
                                    .minutes = 240,
                                    .site_da = 1800,
                                    .feeder_da = 400,
                                    .charger_da = LOAD_NONE,
                                    .base_da = LOAD_NONE,
                                    .rule = LOAD_FIRST_COME,
                                    .trouble = true };

/* A site where each has a fail-safe limit that lets it charge when nobody is there, so that what is
 * lent to others must come back in time. */
static void test_fail_safe(void)
{
    for (uint32_t seed = 1; seed <= 3; seed++)
        run(&lent, seed);
}

/* More days than a test has time for: load_sim_test FIRST LAST. */
static void test_seeds(uint32_t first, uint32_t last)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (uint32_t seed = first; seed <= last; seed++) {
        struct layout l = seed % 4 ? lent : crowded;

        l.rule = (enum load_rule)(1 + seed / 4 % 3);
        l.moods = seed % 2;
        l.trust = seed % 3 == 0;
        run(&l, seed);
        if (check_bad)
            printf("seed %u\n", seed);
        check_bad = 0;
    }
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        test_seeds((uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]));
        return 0;
    }
    RUN(test_two_hundred);
    RUN(test_trusted);
    RUN(test_trouble);
    RUN(test_fail_safe);
    return check_end();
}
