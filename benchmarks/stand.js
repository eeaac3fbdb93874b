// What benchmarks/stand.py has in each page: it finds guests' rows in whichever card shows them, and
// tells when they are painted. All times are milliseconds since 1970.

window.bench = (() => {
  const now = () => performance.timeOrigin + performance.now();

  /** All elements of a selector below a node, in shadow trees too. */
  const all = (selector, node = document) =>
    [...node.querySelectorAll("*")].flatMap((element) => [
      ...(element.matches(selector) ? [element] : []),
      ...(element.shadowRoot ? all(selector, element.shadowRoot) : []),
    ]);

  /** The shadow tree of the card's list: ours, or that of a Markdown card. */
  const tree = () => all("lrs-pager-stand, ha-markdown")[0]?.shadowRoot;

  const rows = (root) => [...(root?.querySelectorAll("li, tbody tr") ?? [])];

  const frame = () => new Promise(requestAnimationFrame);

  /** The moment after the frame that is being drawn: a message comes when its task is over. */
  const drawn = () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(now());
      port2.postMessage(null);
    });

  /** How a guest's row stands: "waits", "paged", or "gone" if there is none. */
  const look = (root, number) => {
    const word = new RegExp(`(?<!\\d)${number}(?!\\d)`);
    const row = rows(root).find((each) => word.test(each.textContent));
    if (!row) return "gone";
    return /\bpaged\b/.test(`${row.className} ${row.textContent}`) ? "paged" : "waits";
  };

  let shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) shifts += entry.value;
  }).observe({ type: "layout-shift" });

  return {
    /** What is to be added to the times of this page to have the computer's. */
    clock() {
      let ahead = -Infinity;
      for (let count = 0; count < 20; count++) {
        // Date.now() is that clock, in whole milliseconds: it is exact as it goes on.
        const before = Date.now();
        while (Date.now() === before);
        ahead = Math.max(ahead, Date.now() - now());
      }
      return ahead;
    },

    count: () => rows(tree()).length,

    /** Have `seen` be the moment at which a guest's row is painted as it shall be. */
    expect(number, state) {
      const root = tree();
      this.seen = new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (look(root, number) !== state) return;
          observer.disconnect();
          frame().then(drawn).then(resolve);
        });
        const subtree = { subtree: true, childList: true, characterData: true, attributes: true };
        observer.observe(root, subtree);
      });
    },

    /** Go to a dashboard as a tap in the sidebar does; the time until so many rows are painted. */
    async visit(path, count) {
      const begun = now();
      history.pushState(null, "", path);
      dispatchEvent(new CustomEvent("location-changed", { detail: { replace: false } }));
      do await frame();
      while (rows(tree()).length < count);
      return (await drawn()) - begun;
    },

    /** Scroll through the list, down and up, for some time; the time from each frame to the next. */
    async scroll(milliseconds) {
      let scroller = rows(tree())[0];
      const scrolls = (element) =>
        element.scrollHeight > element.clientHeight + 1 &&
        /auto|scroll/.test(getComputedStyle(element).overflowY);
      while (scroller && !scrolls(scroller)) {
        scroller = scroller.assignedSlot ?? scroller.parentElement ?? scroller.getRootNode().host;
      }
      scroller ??= document.scrollingElement;
      const gaps = [];
      await frame();
      let [step, before, furthest] = [30, performance.now(), 0];
      for (const end = before + milliseconds; before < end; ) {
        const { scrollTop, clientHeight, scrollHeight } = scroller;
        if (scrollTop + clientHeight > scrollHeight - 30) step = -30;
        else if (scrollTop < 30) step = 30;
        scroller.scrollTop += step;
        furthest = Math.max(furthest, scroller.scrollTop);
        await frame();
        // Not the time that the frame is given, which is when it should have been.
        const after = performance.now();
        gaps.push(after - before);
        before = after;
      }
      if (!furthest) throw new Error("nothing was scrolled");
      return gaps;
    },

    /** The layout shift since this was asked last. */
    shift() {
      const since = shifts;
      shifts = 0;
      return since;
    },
  };
})();
