// Charts: drawn when they come near, in the page's own colours, again when light turns dark.
page.charts = (() => {
  const figures = page.read("figures-data");
  const elements = [...document.querySelectorAll("[data-figure]")];
  const PANEL = 340;
  const PAPER_WIDTH = 680;

  function panelsAcross(layout) {
    const starts = Object.entries(layout)
      .filter(([key]) => /^xaxis\d*$/.test(key))
      .map(([, axis]) => (axis.domain ? axis.domain[0].toFixed(3) : "0"));
    return new Set(starts).size;
  }

  // The legend is beside the figure, not in it: there it would take the plot's own height.
  function withoutLegend(layout) {
    const top = layout.title && layout.title.text ? 76 : layout.annotations && layout.annotations.length ? 34 : 14;
    const saved = Math.max(0, layout.margin.t - top);
    return { ...layout, showlegend: false, height: layout.height - saved, margin: { ...layout.margin, t: layout.margin.t - saved } };
  }

  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    const made = withoutLegend(structuredClone(layout));
    // A figure of the studies has a width for its file; here it has the page's.
    made.width = page.state.printing ? PAPER_WIDTH : undefined;
    made.autosize = !page.state.printing;
    made.paper_bgcolor = made.plot_bgcolor = "rgba(0,0,0,0)";
    made.font = { ...made.font, color: of("--quiet"), family: getComputedStyle(document.body).fontFamily };
    made.hoverlabel = { ...made.hoverlabel, bgcolor: of("--raised"), bordercolor: of("--line"), font: { color: of("--ink") } };
    made.xaxis = made.xaxis || {};
    made.yaxis = made.yaxis || {};
    const line = of("--line");
    for (const key of Object.keys(made)) {
      if (/^[xy]axis\d*$/.test(key)) {
        Object.assign(made[key], { gridcolor: line, linecolor: line, zerolinecolor: line, dividercolor: line });
      }
    }
    return made;
  }

  const groupOf = (trace, index) => trace.legendgroup || trace.name || String(index);

  function traces(element) {
    const copied = JSON.parse(JSON.stringify(figures[element.dataset.figure].data), (_, value) =>
      typeof value === "string" && value[0] === "#" ? page.ink(value) : value
    );
    copied.forEach((trace, index) => {
      if (hidden(element).has(groupOf(trace, index))) trace.visible = false;
    });
    return copied;
  }

  const hiddenGroups = new Map();
  const hidden = (element) => hiddenGroups.get(element) || hiddenGroups.set(element, new Set()).get(element);

  function swatchOf(trace) {
    const marker = trace.marker || {};
    if (trace.type === "bar") {
      return page.swatch({ colour: marker.color, pattern: marker.pattern && marker.pattern.shape });
    }
    if (trace.fill === "toself") return page.swatch({ colour: trace.fillcolor, opacity: Math.max(0.35, trace.opacity || 1) });
    if (trace.mode && !trace.mode.includes("lines")) return page.swatch({ kind: "point", colour: marker.color });
    return page.swatch({ kind: "line", colour: (trace.line || {}).color, dash: (trace.line || {}).dash });
  }

  const decoded = document.createElement("textarea");
  function spoken(name) {
    // Plotly's names are escaped; a textarea reads the escapes and no markup.
    decoded.innerHTML = name || "";
    return decoded.value;
  }

  function legend(element, drawn) {
    const list = page.make("ul", "legend");
    drawn.forEach((trace, index) => {
      if (trace.showlegend === false || !trace.name) return;
      const group = groupOf(trace, index);
      const button = page.make("button");
      button.type = "button";
      button.append(swatchOf(trace), spoken(trace.name));
      button.setAttribute("aria-pressed", String(!hidden(element).has(group)));
      button.addEventListener("click", () => {
        if (!hidden(element).delete(group)) hidden(element).add(group);
        draw(element);
        element.parentElement.querySelectorAll(".legend button")[[...list.children].indexOf(button.parentElement)].focus();
      });
      const item = page.make("li");
      item.append(button);
      list.append(item);
    });
    const old = element.parentElement.querySelector(".legend");
    if (old) old.remove();
    if (list.children.length > 1) element.before(list);
  }

  function saver(element) {
    const caption = element.parentElement.querySelector("figcaption");
    if (caption.querySelector("button")) return;
    const button = page.make("button", "save", "Save as SVG");
    button.type = "button";
    button.append(page.make("span", "unseen", `: the figure “${caption.firstElementChild.textContent}”`));
    button.addEventListener("click", () => Plotly.downloadImage(element, { format: "svg", filename: element.dataset.figure }));
    caption.append(button);
  }

  function draw(element) {
    const figure = figures[element.dataset.figure];
    const across = panelsAcross(figure.layout);
    if (across > 1) element.style.minWidth = `${PANEL * across}px`;
    const drawn = traces(element);
    legend(element, drawn);
    saver(element);
    element.dataset.drawn = "true";
    return Plotly.react(element, drawn, themed(figure.layout), { responsive: true, displayModeBar: false });
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting && !target.dataset.drawn) draw(target);
      }
    },
    { rootMargin: "1200px 0px" }
  );
  for (const element of elements) {
    element.style.minHeight = `${withoutLegend(figures[element.dataset.figure].layout).height}px`;
    near.observe(element);
  }
  const drawAll = () => elements.forEach(draw);
  page.dark.addEventListener("change", () => elements.filter((element) => element.dataset.drawn).forEach(draw));
  return { drawAll };
})();
