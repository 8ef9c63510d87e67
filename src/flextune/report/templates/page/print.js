// Printed whole: every disclosure open, every chart on white, and whatever a section adds.
page.print = (() => {
  const prepare = [];
  const restore = [];
  let opened = [];

  function before() {
    if (page.state.printing) return;
    page.state.printing = true;
    for (const step of prepare) step();
    opened = [...document.querySelectorAll("main details:not([open])")].filter((one) => !one.closest("[data-print=no]"));
    for (const one of opened) one.open = true;
    page.charts.drawAll();
  }
  function after() {
    if (!page.state.printing) return;
    page.state.printing = false;
    for (const one of opened) one.open = false;
    for (const step of restore) step();
    page.charts.drawAll();
  }
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? before() : after()));

  /** Steps of a section: what it shows on paper, and back. */
  function onPrint(show, back) {
    prepare.push(show);
    restore.push(back);
  }
  return { onPrint };
})();
