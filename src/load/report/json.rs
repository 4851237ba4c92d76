//! The report as JSON. `docs/BENCH.md` describes it; [`SCHEMA`] changes when a reader of the old one would fail.

use super::super::find_max::{Search, Verdict};
use super::super::outcome::{Counts, GeneratorUse, Sample, ServerUse};
use super::super::plan::{Pace, Plan, Rooms, Scenario, Transport};
use super::figures::{Row, Spread, rows};
use super::{Measured, Report, Searched};
use crate::load::Outcome;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

/// Version of the format.
pub const SCHEMA: u32 = 1;

/// The percentiles of every histogram, with the names that they have.
const QUANTILES: [(&str, f64); 7] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99_9", 0.999),
    ("p99_99", 0.9999),
    ("max", 1.0),
];

/// The whole of it, as one line for each value, for people too.
pub fn json(report: &Report) -> String {
    let rows = rows(report);
    let servers = report.measured.iter().enumerate().map(|(i, measured)| server(i, measured, &rows));
    let machine = &report.machine;
    let whole = json!({
        "schema": SCHEMA,
        "switchboard": machine.switchboard,
        "command": report.command,
        "taken_at": report.taken_at,
        "machine": {
            "cores": machine.cores,
            "cpu": machine.cpu,
            "system": machine.system,
            "server_core": machine.pinned.as_ref().map(|cores| cores.server),
            "generator_cores": machine.pinned.as_ref().map(|cores| &cores.generator),
            "load_average": machine.load_average,
            "is_debug_build": machine.is_debug_build,
        },
        "plan": plan(&report.plan),
        "servers": servers.collect::<Vec<_>>(),
        "ratios": ratios(&rows),
        "search": report.searched.as_ref().map(searched),
        "notes": report.notes(),
    });
    // With the # it is indented.
    format!("{whole:#}\n")
}

fn plan(plan: &Plan) -> Value {
    json!({
        "scenario": plan.scenario.name(),
        "in_words": plan.scenario.in_words(),
        "details": scenario(&plan.scenario),
        "threads": plan.threads,
        "spread_sources": plan.spread_sources,
        "warmup_seconds": plan.warmup.as_secs_f64(),
        "duration_seconds": plan.duration.as_secs_f64(),
    })
}

fn scenario(scenario: &Scenario) -> Value {
    match scenario {
        Scenario::Rooms(some) => rooms(some),
        Scenario::Relay(relay) => json!({
            "pairs": relay.pairs,
            "transport": match relay.transport { Transport::Tcp => "tcp", Transport::Udp => "udp" },
            "payload": relay.payload,
            "pace": pace(relay.pace),
        }),
        Scenario::Connect(connect) => json!({ "clients": connect.clients, "at_once": connect.at_once }),
        Scenario::Join(join) => json!({ "members": join.members }),
        Scenario::Idle(idle) => json!({ "clients": idle.clients }),
        Scenario::Slow(slow) => {
            json!({ "rooms": rooms(&slow.rooms), "stalled_percent": slow.stalled_percent })
        }
        Scenario::Churn(churn) => json!({
            "rooms": rooms(&churn.rooms),
            "visitors": churn.visitors,
            "per_second": churn.per_second,
        }),
        Scenario::Mixed(mixed) => json!({
            "clients": mixed.clients,
            "payload": mixed.payload,
            "rate": mixed.rate,
            "churn_per_second": mixed.churn_per_second,
        }),
    }
}

fn rooms(rooms: &Rooms) -> Value {
    json!({
        "rooms": rooms.rooms,
        "members": rooms.members,
        "senders": rooms.senders,
        "payload": rooms.payload,
        "pace": pace(rooms.pace),
    })
}

fn pace(pace: Pace) -> Value {
    match pace {
        Pace::Window(window) => json!({ "loop": "closed", "window": window }),
        Pace::Rate(rate) => json!({ "loop": "open", "rate": rate }),
    }
}

fn server(i: usize, measured: &Measured, rows: &[Row]) -> Value {
    let figures = rows.iter().filter_map(|row| {
        let spread = Spread::of(row.values.get(i)?)?;
        let mut figure = json!({ "unit": row.unit.name() });
        add(&mut figure, spread);
        Some((row.name.to_owned(), figure))
    });
    json!({
        "label": measured.label,
        "place": measured.place,
        "protocol": measured.protocol.name(),
        "figures": figures.collect::<Map<_, _>>(),
        "runs": measured.outcomes.iter().map(run).collect::<Vec<_>>(),
    })
}

fn add(figure: &mut Value, Spread { median, min, max }: Spread) {
    if let Value::Object(figure) = figure {
        figure
            .extend([("median", median), ("min", min), ("max", max)].map(|(k, v)| (k.to_owned(), json!(v))));
    }
}

fn ratios(rows: &[Row]) -> Value {
    let ratios = rows.iter().filter_map(|row| {
        let mut ratio = json!({});
        add(&mut ratio, row.ratio()?);
        Some((row.name.to_owned(), ratio))
    });
    Value::Object(ratios.collect())
}

fn run(outcome: &Outcome) -> Value {
    let figures = outcome
        .figures
        .iter()
        .map(|figure| (figure.name.to_owned(), json!({ "value": figure.value, "unit": figure.unit })));
    json!({
        "measured_seconds": outcome.measured.as_secs_f64(),
        "counts": counts(&outcome.counts),
        "uncounted": outcome.uncounted,
        "refusal": outcome.refusal,
        "latency_ns": histogram(&outcome.latency),
        "last_receiver_ns": histogram(&outcome.last_receiver),
        "server": outcome.server.as_ref().map(server_use),
        "generator": generator(&outcome.generator),
        "samples": outcome.samples.iter().map(sample).collect::<Vec<_>>(),
        "figures": figures.collect::<Map<_, _>>(),
    })
}

fn counts(counts: &Counts) -> Value {
    json!({
        "offered": counts.offered,
        "sent": counts.sent,
        "delivered": counts.delivered,
        "expected": counts.expected,
        "arrived": counts.arrived,
        "lost": counts.lost,
        "duplicated": counts.duplicated,
        "out_of_order": counts.out_of_order,
        "refused": counts.refused,
        "disconnected": counts.disconnected,
    })
}

fn histogram(histogram: &Histogram<u64>) -> Value {
    if histogram.is_empty() {
        return Value::Null;
    }
    let mut value = json!({ "count": histogram.len(), "min": histogram.min(), "mean": histogram.mean() });
    if let Value::Object(value) = &mut value {
        value.extend(QUANTILES.map(|(name, q)| (name.to_owned(), json!(histogram.value_at_quantile(q)))));
    }
    value
}

fn server_use(server: &ServerUse) -> Value {
    json!({
        "cpu_seconds": server.cpu.as_secs_f64(),
        "user_seconds": server.user.as_secs_f64(),
        "system_seconds": server.system.as_secs_f64(),
        "memory_before_bytes": server.memory_before,
        "memory_bytes": server.memory,
        "connections": server.connections,
        "reads_and_writes": server.reads_and_writes,
        "system_calls": server.system_calls,
        "sleeps": server.sleeps,
        "waited_seconds": server.waited.map(|waited| waited.as_secs_f64()),
    })
}

fn generator(generator: &GeneratorUse) -> Value {
    json!({
        "busy": generator.busy,
        "busy_cores": generator.busy_cores,
        "waited": generator.waited,
        "behind_ns": histogram(&generator.behind),
        "was_limit": generator.was_limit,
    })
}

fn sample(sample: &Sample) -> Value {
    json!({
        "at_seconds": sample.at,
        "sent": sample.sent,
        "delivered": sample.delivered,
        "p50_ns": sample.p50,
        "p99_ns": sample.p99,
        "server_cpu_ns": sample.server_cpu,
    })
}

fn searched(Searched { slo, search }: &Searched) -> Value {
    json!({
        "slo": slo,
        "held": search.held(),
        "stopped_by_generator": search.stopped_by_generator(),
        "steps": steps(search),
    })
}

fn steps(search: &Search) -> Vec<Value> {
    let step = |rate: f64, verdict: &Verdict| match verdict {
        Verdict::Held => json!({ "rate": rate, "held": true, "why": null }),
        Verdict::Broke(why) => json!({ "rate": rate, "held": false, "why": why }),
        Verdict::GeneratorWasLimit(why) => json!({ "rate": rate, "held": null, "why": why }),
    };
    search.steps().iter().map(|tried| step(tried.rate, &tried.verdict)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests as example;
    use super::*;

    #[test]
    fn it_reads_back_and_its_sums_agree() {
        let value: Value = serde_json::from_str(&json(&example::report(2, 3))).expect("JSON");
        assert_eq!(value["servers"].as_array().map(Vec::len), Some(2));
        for server in value["servers"].as_array().expect("servers") {
            for run in server["runs"].as_array().expect("runs") {
                let counts = |name: &str| run["counts"][name].as_u64().expect(name);
                assert_eq!(counts("expected"), counts("arrived") + counts("lost"));
            }
        }
        assert_eq!(value["servers"][0]["figures"]["cpu_per_delivery"]["min"], json!(134.0));
        assert_eq!(value["ratios"]["cpu_per_delivery"]["median"], json!(0.5));
        assert_eq!(value["plan"]["details"]["pace"]["window"], json!(128));
    }

    #[test]
    fn what_is_not_known_is_null_and_no_number() {
        let mut report = example::report(1, 1);
        if let Some(outcome) = report.measured.first_mut().and_then(|measured| measured.outcomes.first_mut())
        {
            outcome.server = None;
            outcome.latency.reset();
        }
        let value: Value = serde_json::from_str(&json(&report)).expect("JSON");
        let server = &value["servers"][0];
        assert!(server["runs"][0]["server"].is_null() && server["runs"][0]["latency_ns"].is_null());
        assert!(server["figures"].get("cpu_per_delivery").is_none());
    }
}
