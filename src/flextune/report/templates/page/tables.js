// Wide tables and programs: only what can be scrolled is a stop of the tab key, and more to the right is said.
page.tables = (() => {
  const boxes = new WeakSet();

  function columns(box) {
    const head = box.querySelector("thead tr:last-child");
    return head ? [...head.children].map((cell) => cell.getBoundingClientRect().width) : [];
  }

  // A narrow window shows whole columns: a number that is cut is read as another number.
  function wholeColumns(box) {
    box.style.maxWidth = "";
    const table = box.firstElementChild;
    if (!table || table.tagName !== "TABLE" || table.offsetWidth <= box.clientWidth + 1) return 0;
    const [first = 0, ...others] = columns(box);
    let width = first;
    let shown = 0;
    for (const other of others) {
      if (shown && width + other > box.clientWidth + 1) break;
      width += other;
      shown += 1;
    }
    box.style.maxWidth = `${Math.floor(width)}px`;
    return others.length - shown;
  }

  function look(box) {
    const left = wholeColumns(box);
    const wide = box.scrollWidth > box.clientWidth + 1;
    const tall = box.scrollHeight > box.clientHeight + 1;
    if (wide || tall) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    box.classList.toggle("wide", wide);
    let hint = box.nextElementSibling;
    if (!hint || !hint.classList.contains("hint")) hint = null;
    if (left > 0 && !hint) {
      hint = page.make("p", "hint");
      box.after(hint);
    }
    if (hint) {
      hint.hidden = left <= 0;
      hint.textContent = `${left} more ${left === 1 ? "column" : "columns"} →`;
    }
  }

  const observer = new ResizeObserver((entries) => {
    requestAnimationFrame(() => entries.forEach(({ target }) => look(target)));
  });

  /** Watch every box below an element that may scroll. */
  function watch(root) {
    for (const box of root.querySelectorAll(".scroll, .chart, pre, .names ul")) {
      if (boxes.has(box)) continue;
      boxes.add(box);
      // The box's own width follows from what is found; its parent's does not.
      observer.observe(box);
      look(box);
    }
  }
  addEventListener("resize", () => document.querySelectorAll(".scroll").forEach(look));
  watch(document);
  return { watch };
})();
