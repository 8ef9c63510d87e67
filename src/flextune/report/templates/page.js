"use strict";
(() => {
  // ---- charts: drawn with the page's own colours, again when light turns dark ----
  const figures = JSON.parse(document.getElementById("figures-data").textContent);

  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim();
    const quiet = style.getPropertyValue("--quiet").trim();
    const line = style.getPropertyValue("--line").trim();
    const paper = style.getPropertyValue("--raised").trim();
    const made = structuredClone(layout);
    made.paper_bgcolor = made.plot_bgcolor = "rgba(0,0,0,0)";
    made.font = { ...made.font, color: quiet, family: getComputedStyle(document.body).fontFamily };
    made.hoverlabel = { ...made.hoverlabel, bgcolor: paper, bordercolor: line, font: { color: ink } };
    made.xaxis = made.xaxis || {};
    made.yaxis = made.yaxis || {};
    for (const key of Object.keys(made)) {
      if (/^[xy]axis\d*$/.test(key)) {
        Object.assign(made[key], { gridcolor: line, linecolor: line, zerolinecolor: line, dividercolor: line });
      }
    }
    return made;
  }

  // Colours that are too dark on a dark page.
  const LIGHTER = { "#0072B2": "#3d9ad6", "#5b5b5b": "#8d949e", "#666666": "#a7afba" };
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function coloured(traces) {
    if (!dark.matches) return traces;
    return JSON.parse(JSON.stringify(traces), (_, value) => LIGHTER[value] || value);
  }

  function drawAll() {
    for (const element of document.querySelectorAll("[data-figure]")) {
      const figure = figures[element.dataset.figure];
      Plotly.react(element, coloured(figure.data), themed(figure.layout), { responsive: true, displayModeBar: false });
    }
  }
  drawAll();
  dark.addEventListener("change", drawAll);
})();
