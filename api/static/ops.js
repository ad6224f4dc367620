"use strict";
// Live charts of the ops page: /ops/data every two seconds, five minutes kept in the browser.
const PERIOD_MS = 2000, KEPT = 150;
const COLOURS = 8;
// The charts are drawn on canvases, which know nothing of the style sheet: its colours are read, and again when they change.
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const times = [], seen = new Map(), charts = {};

function series(group) {
  if (!seen.has(group)) seen.set(group, { records: Array(times.length).fill(null), seconds: Array(times.length).fill(null),
                                          throughput: Array(times.length).fill(null), committed: null });
  return seen.get(group);
}

const axis = () => ({ stroke: token("soft"), grid: { stroke: token("line"), width: 1 }, ticks: { stroke: token("line"), width: 1 } });

function draw(name) {
  const groups = [...seen.keys()].sort();
  const holder = document.getElementById("chart-" + name);
  const data = [times, ...groups.map((group) => seen.get(group)[name])];
  const known = charts[name];
  if (known && known.groups === groups.join()) { known.plot.setData(data); return; }
  if (known) known.plot.destroy();
  const plot = new uPlot({
    width: holder.clientWidth, height: 240,
    // Not what uPlot would show: it stretches a first look alone over years.
    scales: { x: { range: () => [Math.min(times[0], times[times.length - 1] - 60), times[times.length - 1]] }, y: { range: (_, low, high) => [0, Math.max(high || 0, 5) * 1.1] } },
    axes: [axis(), { ...axis(), size: 60, values: (_, ticks) => ticks.map((tick) => tick.toLocaleString("en-GB")) }],
    series: [{}, ...groups.map((group, index) => ({ label: group.replace("ecommerce.", ""), stroke: token(`chart-${1 + index % COLOURS}`), width: 2, spanGaps: true,
      points: { show: times.length < 3 }, value: (_, value) => value == null ? "–" : value.toLocaleString("en-GB", { maximumFractionDigits: 1 }) }))],
  }, data, holder);
  charts[name] = { plot, groups: groups.join() };
}

async function look() {
  try {
    const answer = await fetch("/ops/data", { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const lag = await answer.json();
    const now = lag.at / 1000, before = times.length ? times[times.length - 1] : null;
    if (before !== null && now <= before) return;
    lag.groups.forEach((group) => series(group.group));
    times.push(now);
    for (const [name, kept] of seen) {
      const group = lag.groups.find((each) => each.group === name);
      kept.records.push(group ? group.lag : null);
      kept.seconds.push(group ? group.seconds : null);
      kept.throughput.push(group && before !== null && kept.committed !== null ? Math.max(0, (group.committed - kept.committed) / (now - before)) : null);
      kept.committed = group ? group.committed : null;
    }
    if (times.length > KEPT) {
      times.shift();
      seen.forEach((kept) => { kept.records.shift(); kept.seconds.shift(); kept.throughput.shift(); });
    }
    ["records", "seconds", "throughput"].forEach(draw);
  } finally {
    setTimeout(look, PERIOD_MS);
  }
}

// What was seen outlives a reload, for as long as the charts would still show it.
const STORE = "ops-history";
window.addEventListener("pagehide", () => {
  try { sessionStorage.setItem(STORE, JSON.stringify({ times, seen: [...seen] })); } catch { /* full or forbidden */ }
});
document.addEventListener("DOMContentLoaded", () => {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORE) || "null");
    if (kept && kept.times.length && Date.now() / 1000 - kept.times[kept.times.length - 1] < KEPT * PERIOD_MS / 1000) {
      times.push(...kept.times);
      kept.seen.forEach(([name, values]) => seen.set(name, values));
      ["records", "seconds", "throughput"].forEach(draw);
    }
  } catch { /* of another release: the charts begin anew */ }
  look();
});
window.addEventListener("resize", () => Object.entries(charts).forEach(([name, chart]) =>
  chart.plot.setSize({ width: document.getElementById("chart-" + name).clientWidth, height: 240 })));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Object.entries(charts).forEach(([name, chart]) => {
  chart.groups = null;
  draw(name);
}));
