// Charts are drawn from the tables beside them, so that both always say the same.
"use strict";

(() => {
  // Colour and pattern: the parts can be told apart in black and white.
  const LOOK = {
    not_met: { color: "#b42318", decal: { symbol: "none" } },
    action_due: { color: "#de7b6f", decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: 0.8 } },
    deviation: { color: "#d9a441", decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -0.8 } },
    needs_judgement: { color: "#9484c4", decal: { symbol: "circle", symbolSize: 0.6, dashArrayX: [[5, 5], [0, 5, 5, 0]], dashArrayY: [5, 0] } },
    no_data: { color: "#d5dade", decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [1, 6], rotation: 0 } },
    pending: { color: "#a9bdd2", decal: { symbol: "circle", symbolSize: 0.35, dashArrayX: [[8, 8], [0, 8, 8, 0]], dashArrayY: [8, 0] } },
    met: { color: "#8dbb9f", decal: { symbol: "none" } },
  };
  const INK = "#4a5560";
  const FONT = getComputedStyle(document.body).fontFamily;
  const ROW = 26;

  const read = (table) => {
    const names = [];
    const series = new Map();
    for (const row of table.tBodies[0].rows) {
      names.push(row.querySelector("th").textContent.trim());
      for (const cell of row.querySelectorAll("[data-verdict]")) {
        const code = cell.dataset.verdict;
        if (!series.has(code)) {
          series.set(code, []);
        }
        series.get(code).push(Number(cell.dataset.count));
      }
    }
    const labels = new Map();
    for (const code of series.keys()) {
      const heading = table.tHead.querySelector(`[data-heading="${code}"] .heading-text`);
      labels.set(code, heading.textContent);
    }
    return { names, series, labels };
  };

  const shorten = (name, room) => (name.length > room ? name.slice(0, room - 1) + "…" : name);

  const draw = (element) => {
    const { names, series, labels } = read(document.getElementById(element.dataset.chart));
    const rows = Math.min(names.length, Number(element.dataset.rows));
    const totals = names.map((_, place) =>
      [...series.values()].reduce((sum, counts) => sum + counts[place], 0));
    element.style.height = `${rows * ROW + 64}px`;
    const room = element.clientWidth < 480 ? 7 : 14;
    const chart = echarts.init(element, null, { renderer: "canvas" });
    chart.setOption({
      animation: false,
      aria: { enabled: false, decal: { show: true } },
      textStyle: { fontFamily: FONT, color: INK },
      legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, itemGap: 12, textStyle: { color: INK, fontSize: 12 } },
      grid: { top: element.clientWidth < 480 ? 56 : 36, left: 0, right: 20, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow" },
        // As text: markup with styles of its own is refused by the page's security policy.
        renderMode: "richText",
        order: "seriesAsc",
        formatter: (points) => {
          const place = points[0].dataIndex;
          const lines = points
            .filter((point) => series.get(point.seriesId)[place])
            .map((point) => `${point.seriesName}  ${series.get(point.seriesId)[place]}`);
          return [names[place], ...lines].join("\n");
        },
      },
      xAxis: { type: "value", max: 100, splitLine: { lineStyle: { color: "#e3e7eb" } }, axisLabel: { formatter: "{value}%", color: INK } },
      yAxis: {
        type: "category",
        inverse: true,
        data: names.slice(0, rows).map((name) => shorten(name, room)),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: "#c8d0d8" } },
        axisLabel: { color: INK },
      },
      series: [...series].map(([code, counts]) => ({
        id: code,
        name: labels.get(code),
        type: "bar",
        stack: "all",
        barMaxWidth: 14,
        itemStyle: LOOK[code],
        data: counts.slice(0, rows).map((count, place) => (totals[place] ? (100 * count) / totals[place] : 0)),
      })),
    });
    return chart;
  };

  const charts = [...document.querySelectorAll("[data-chart]")].map(draw);
  const fit = () => charts.forEach((chart) => chart.resize());
  window.addEventListener("resize", fit);
  window.addEventListener("beforeprint", fit);
})();
