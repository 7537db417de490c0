// SPDX-License-Identifier: Apache-2.0
//
// panels.mjs -- the panels and alerts of the language's manual, computed a second time.
//
// Reads generated telemetry as the JSON lines it is, throws away what was sent twice, and answers
// each panel and alert by going through all points and events, one by one, with integers that have
// no limit.  Then it asks varve the same, and compares every cell: counts and money to the last
// digit, ratios to the last few bits.
//
//   node panels.mjs VARVE STORE DIR NOW
import fs from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";

const [varve, store, dir, nowText] = process.argv.slice(2);
const second = 1_000_000_000n, hour = 3600n * second, day = 24n * hour;
const now = BigInt(Date.parse(nowText)) * 1_000_000n;
let failures = 0, checks = 0;
function bad(...what) {
  if (failures++ < 20) console.log("FAILED:", ...what);
}

// ---- the telemetry --------------------------------------------------------------

function attributes(list) {
  const result = {};
  for (const { key, value } of list ?? []) result[key] = Object.values(value)[0];
  return result;
}
const short = {
  "claude_code.cost.usage": "cost", "claude_code.token.usage": "tokens",
  "claude_code.commit.count": "commits", "claude_code.active_time.total": "active_time",
};
const points = [], events = [], seen = new Set();
function isNew(...parts) {
  const key = JSON.stringify(parts);
  return !seen.has(key) && seen.add(key);
}
function readMetrics(request) {
  for (const { resource, scopeMetrics } of request.resourceMetrics)
    for (const { metrics } of scopeMetrics)
      for (const { name, sum } of metrics)
        for (const p of sum?.dataPoints ?? []) {
          const value = p.asInt ?? p.asDouble;
          if (!short[name]) continue;
          if (!isNew(name, p.attributes, p.startTimeUnixNano, p.timeUnixNano, value)) continue;
          const isExact = name.includes("cost") || name.includes("active_time");
          points.push({
            metric: short[name], end: BigInt(p.timeUnixNano),
            labels: { ...attributes(resource.attributes), ...attributes(p.attributes) },
            value: isExact ? BigInt(Math.round(Number(value) * 1e9)) : BigInt(value),
          });
        }
}
function readLogs(request) {
  for (const { scopeLogs } of request.resourceLogs)
    for (const { logRecords } of scopeLogs)
      for (const record of logRecords) {
        const fields = attributes(record.attributes);
        if (fields["event.name"] !== "tool_result") continue;
        if (isNew(record))
          events.push({ time: BigInt(record.timeUnixNano), duration: Number(fields.duration_ms),
                        success: String(fields.success) === "true" });
      }
}
for (const file of fs.readdirSync(dir).filter((f) => f.endsWith(".jsonl")))
  for (const line of fs.readFileSync(path.join(dir, file), "utf8").split("\n").filter(Boolean)) {
    const request = JSON.parse(line);
    if (request.resourceMetrics) readMetrics(request);
    if (request.resourceLogs) readLogs(request);
  }

// Users belong to teams and repositories by a roster; one of them does not.
const users = [...new Set(points.map((p) => p.labels["user.email"]))].sort();
const roster = new Map(users.slice(1).map((u, i) => [u, { team: `team-${i % 3}`, repository: `repo-${i}` }]));
fs.writeFileSync(path.join(dir, "roster.csv"), "user_email,team,repository\n" +
  [...roster].map(([u, r]) => `${u},${r.team},${r.repository}\n`).join(""));

// ---- asking varve ---------------------------------------------------------------

function run(...statements) {
  const result = spawnSync(varve, ["-d", store, "--now", nowText, "-m", "csv",
    ...statements.flatMap((s) => ["-c", s])], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (result.status !== 0) bad(statements.join("; "), "->", result.status, result.stderr);
  return result.stdout.trimEnd().split("\n").map((line) => line.split(","));
}

// ---- the naive side -------------------------------------------------------------

const where = (metric, from, to, pass = () => true) =>
  points.filter((p) => p.metric === metric && p.end >= from && p.end < to && pass(p.labels));
/** NULL is null: nothing was there. */
const sum = (list) => (list.length ? list.reduce((a, p) => a + p.value, 0n) : null);
const increase = (metric, from, to, pass) => sum(where(metric, from, to, pass));
const decimal = (nano) => {
  if (nano === null) return "";
  const sign = nano < 0n ? "-" : "", n = nano < 0n ? -nano : nano;
  const rest = String(n % second).padStart(9, "0").replace(/0+$/, "");
  return sign + String(n / second) + (rest ? "." + rest : "");
};
const integer = (n) => (n === null ? "" : String(n));
const money = (n) => (n === null ? null : Number(n) / 1e9);
const ratio = (a, b) => (a === null || b === null || b === 0 ? null : a / b);
const groups = (metric, key, from, to) =>
  [...new Set(where(metric, from, to).map((p) => key(p.labels)))].sort();
const iso = (t) => new Date(Number(t / 1_000_000n)).toISOString();
function quantile(values, q) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b), at = q * (sorted.length - 1);
  const low = Math.floor(at), high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}
const byName = (a, b) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : a > b ? 1 : 0);

/** Cells are exact texts, or numbers that may differ in the last bits; null is an empty cell. */
function same(cell, expected) {
  if (expected === null) return cell === "";
  if (typeof expected === "string") return cell === expected;
  const found = Number(cell);
  return cell !== "" && Math.abs(found - expected) <= 1e-12 * Math.max(Math.abs(found), Math.abs(expected));
}
function compare(statement, expected) {
  const [, ...rows] = run(statement);
  checks++;
  if (expected.length === 0 && rows.length === 0) return;
  if (rows.length !== expected.length)
    return bad(statement, `has ${rows.length} rows, expected ${expected.length}`);
  for (let i = 0; i < rows.length; i++)
    for (let c = 0; c < expected[i].length; c++)
      if (!same(rows[i][c], expected[i][c]))
        return bad(statement, `row ${i} column ${c} is '${rows[i][c]}', expected '${expected[i][c]}'`);
}
function* buckets(from, to, width) {
  for (let t = from - (from % width); t < to; t += width)
    yield [t, t < from ? from : t, t + width > to ? to : t + width];
}

// ---- the panels ------------------------------------------------------------------

run("SET quota_5h = 1000000", `CREATE OR REPLACE LOOKUP roster FROM '${path.join(dir, "roster.csv")}' ON user_email`);

const week = now - 7n * day, month = now - 30n * day;
compare("SELECT increase(tokens{type='input'}) AS input, increase(tokens{type='output'}) AS output SINCE 7d",
  [["input", "output"].map((type) => integer(increase("tokens", week, now, (l) => l.type === type)))]);

const startOfMonth = BigInt(Date.UTC(Number(nowText.slice(0, 4)), Number(nowText.slice(5, 7)) - 1, 1)) * 1_000_000n;
const startOfLast = BigInt(Date.UTC(Number(nowText.slice(0, 4)), Number(nowText.slice(5, 7)) - 2, 1)) * 1_000_000n;
{
  const current = increase("cost", startOfMonth, now);
  const before = increase("cost", startOfLast, startOfLast + (now - startOfMonth));
  const change = current === null || before === null ? null : current - before;
  compare("SELECT increase(cost) AS usd DURING this month COMPARE TO previous",
    [[decimal(current), decimal(before), decimal(change),
      ratio(change === null ? null : 100 * money(change), money(before))]]);
}
const results = (from, to) => events.filter((e) => e.time >= from && e.time < to);
compare("SELECT quantile(duration_ms, 0.95) AS p95 FROM tool_result SINCE 24h EVERY 15m",
  [...buckets(now - day, now, hour / 4n)].map(([t, from, to]) =>
    [iso(t), quantile(results(from, to).map((e) => e.duration), 0.95)]));
compare("SELECT count(*) FILTER (WHERE success) / count(*) AS ok FROM tool_result SINCE 24h EVERY 1h",
  [...buckets(now - day, now, hour)].map(([t, from, to]) => {
    const all = results(from, to);
    return [iso(t), all.length ? all.filter((e) => e.success).length / all.length : null];
  }));
compare("SELECT increase(cost) / count(DISTINCT session_id) AS per_session SINCE 7d EVERY day",
  [...buckets(week, now, day)].map(([t, from, to]) => {
    const list = where("cost", from, to), cost = sum(list);
    return [iso(t), ratio(money(cost), new Set(list.map((p) => p.labels["session.id"])).size)];
  }));
const byModel = (metric, from) => groups(metric, (l) => l.model ?? "", from, now);
compare("SELECT increase(tokens{type='cacheRead'}) / increase(tokens{type=~'input|cacheRead|cacheCreation'}) AS hit BY model SINCE 7d",
  byModel("tokens", week).map((model) => {
    const some = (types) => increase("tokens", week, now, (l) => l.model === model && types.includes(l.type));
    const hit = some(["cacheRead"]), all = some(["input", "cacheRead", "cacheCreation"]);
    return [model, ratio(hit === null ? null : Number(hit), all === null ? null : Number(all))];
  }));
compare("SELECT 1e6 * increase(cost) / increase(tokens) AS usd_per_mtok BY model SINCE 30d",
  byModel("tokens", month).map((model) => [model, ratio(
    1e6 * money(increase("cost", month, now, (l) => l.model === model)),
    Number(increase("tokens", month, now, (l) => l.model === model)))]));
{
  const repository = (l) => roster.get(l["user.email"])?.repository ?? "";
  const total = increase("cost", month, now);
  const all = groups("cost", repository, month, now)
    .map((name) => [name, increase("cost", month, now, (l) => repository(l) === name)])
    .sort((a, b) => (b[1] > a[1] ? 1 : b[1] < a[1] ? -1 : byName(a[0], b[0])));
  const top = all.slice(0, 7), rest = all.slice(7);
  if (rest.length === 0) bad("the world has too few repositories for an other");
  top.push(["All other repos", rest.reduce((a, [, usd]) => a + usd, 0n)]);
  compare("SELECT increase(cost) AS usd, share(usd) AS part BY repository SINCE 30d TOP 7 BY usd WITH OTHER 'All other repos'",
    top.map(([name, usd]) => [name, decimal(usd), money(usd) / money(total)]));
}
{
  const team = (l) => roster.get(l["user.email"])?.team ?? "", expected = [];
  const since = now - 730n * day;
  const first = new Date(Number(since / 1_000_000n));
  const names = groups("cost", team, since, now).sort(byName);
  for (let q = Math.floor(first.getUTCMonth() / 3), y = first.getUTCFullYear(); ; q === 3 ? (q = 0, y++) : q++) {
    const start = BigInt(Date.UTC(y, 3 * q, 1)) * 1_000_000n, end = BigInt(Date.UTC(y, 3 * q + 3, 1)) * 1_000_000n;
    if (start >= now) break;
    for (const name of names) {
      const pass = (l) => team(l) === name, low = start < since ? since : start, high = end > now ? now : end;
      const usd = increase("cost", low, high, pass), commits = increase("commits", low, high, pass);
      expected.push([iso(start), name, decimal(usd), integer(commits),
        ratio(money(usd), commits === null ? null : Number(commits))]);
    }
  }
  compare("SELECT increase(cost) AS usd, increase(commits) AS commits, usd / commits AS usd_per_commit BY team EVERY quarter SINCE 730d", expected);
}
{
  // Paris is two hours ahead of UTC until 2026-10-25T01:00Z, then one.
  const paris = (t) => (t < BigInt(Date.UTC(2026, 9, 25, 1)) * 1_000_000n ? 2n * hour : hour);
  const from = now - 40n * day, expected = [];
  const midnight = (t) => t + paris(t) - ((t + paris(t)) % day) - paris(t - ((t + paris(t)) % day));
  for (let t = midnight(from); t < now; t = midnight(t + 30n * hour)) {
    const next = midnight(t + 30n * hour);
    const list = where("cost", t < from ? from : t, next > now ? now : next);
    expected.push([iso(t), integer(BigInt(new Set(list.map((p) => p.labels["user.email"])).size)), decimal(sum(list) ?? 0n)]);
  }
  compare("SELECT count(DISTINCT user_email) AS users, increase(cost) AS usd SINCE 40d EVERY day TZ 'Europe/Paris' FILL 0", expected);
}
compare("SELECT increase(tokens, 5h) AS used, 100 * used / setting('quota_5h') AS pct SINCE 24h EVERY 5m",
  [...buckets(now - day, now, 300n * second)].map(([t, , to]) => {
    const used = increase("tokens", to - 5n * hour, to);
    return [iso(t), integer(used), used === null ? null : (100 * Number(used)) / 1000000];
  }));

// ---- the alerts -------------------------------------------------------------------

const seenModels = (from, to) => new Set(where("tokens", from, to).map((p) => p.labels.model));
{
  const old = seenModels(now - 7n * day, now - hour), fresh = where("tokens", now - hour, now).filter((p) => !old.has(p.labels.model));
  const expected = [...new Set(fresh.map((p) => p.labels.model))].map((m) => [m, String(fresh.filter((p) => p.labels.model === m).length)]);
  compare("SHOW NEW VALUES OF model IN tokens SINCE 1h VERSUS 7d", expected.sort((a, b) => Number(b[1]) - Number(a[1]) || byName(a[0], b[0])));
}
compare("SELECT increase(cost) AS usd BY user_email SINCE 24h HAVING usd > 100",
  groups("cost", (l) => l["user.email"], now - day, now)
    .map((u) => [u, increase("cost", now - day, now, (l) => l["user.email"] === u)])
    .filter(([, usd]) => usd > 100n * second).map(([u, usd]) => [u, decimal(usd)]));
{
  const rate = (from, to) => { const n = increase("cost", from, to); return n === null ? null : money(n) / Number((to - from) / second); };
  const quarter = hour / 4n, now15 = rate(now - quarter, now), base = rate(now - quarter - hour, now - quarter);
  const fires = now15 !== null && base !== null && now15 > 3 * base && base > 0;
  compare("SELECT rate(cost, 15m) AS now15, rate(cost OFFSET 15m, 1h) AS base AT now", [[now15, base]]);
  compare("SELECT rate(cost, 15m) AS now15, rate(cost OFFSET 15m, 1h) AS base AT now HAVING now15 > 3 * base AND base > 0",
    fires ? [[now15, base]] : []);
}
{
  const total = increase("cost", now - hour, now);
  compare("SELECT share(increase(cost)) AS part BY model SINCE 1h HAVING part > 0.3",
    groups("cost", (l) => l.model, now - hour, now)
      .map((m) => [m, ratio(money(increase("cost", now - hour, now, (l) => l.model === m)), money(total))])
      .filter(([, part]) => part > 0.3));
}
{
  const t = increase("tokens", now - 2n * hour, now), c = increase("commits", now - 2n * hour, now) ?? 0n;
  compare("SELECT increase(tokens) AS t, increase(commits) FILL 0 AS c SINCE 2h", [[integer(t), integer(c)]]);
  compare("SELECT increase(tokens) AS t, increase(commits) FILL 0 AS c SINCE 2h HAVING t > 50000 AND c = 0",
    t !== null && t > 50000n && c === 0n ? [[integer(t), integer(c)]] : []);
}
for (const [metric, alias, range, limit, text] of [["active_time", "s", 3n * hour, 120n * second, decimal], ["tokens", "t", hour, 20000n, integer]]) {
  const key = (l) => `${l["session.id"]},${l["user.email"]}`;
  compare(`SELECT increase(${metric}) AS ${alias} BY session_id, user_email SINCE ${range / hour}h HAVING ${alias} > ${metric === "tokens" ? limit : limit / second}`,
    groups(metric, key, now - range, now)
      .map((k) => [...k.split(","), increase(metric, now - range, now, (l) => key(l) === k)])
      .filter(([, , value]) => value > limit).map(([s, u, value]) => [s, u, text(value)]));
}

// ---- the truth -----------------------------------------------------------------------

const truth = JSON.parse(fs.readFileSync(path.join(dir, "truth.json"), "utf8"));
for (const [metric, total] of Object.entries(truth.totals)) {
  const exact = total.nano_usd ?? total.nano_seconds;
  compare(`SELECT increase("${metric}") BETWEEN 2000-01-01 AND 2100-01-01`, [[exact === undefined ? String(total) : decimal(BigInt(exact))]]);
}
console.log(`${checks} statements, ${points.length} points, ${events.length} events: ${failures} wrong`);
process.exit(failures ? 1 : 0);
