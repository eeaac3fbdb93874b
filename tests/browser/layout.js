// What is wrong with how an element and all in it are laid out, as sentences; run in the page.
(root) => {
  const SLACK = 1; // pixels, for what browsers round
  const TARGET = 48; // pixels that a finger needs

  const all = (node) =>
    [...node.querySelectorAll("*")].flatMap((each) => [
      each,
      ...(each.shadowRoot ? all(each.shadowRoot) : []),
    ]);
  const parent = (node) => node.parentElement ?? node.getRootNode().host;
  // What stays in sight lies over what is scrolled under it.
  const sticky = (node) =>
    node && (getComputedStyle(node).position === "sticky" ? node : sticky(parent(node)));
  const isUnseen = (node) =>
    node && (getComputedStyle(node).clipPath === "inset(50%)" || isUnseen(parent(node)));
  const isShown = (node) => node.checkVisibility({ visibilityProperty: true }) && !isUnseen(node);

  // What can be seen of a rectangle in an element, as its ancestors cut it off.
  const cut = (rect, node) => {
    let { left, top, right, bottom } = rect;
    for (let each = node; each && each !== document.body; each = parent(each)) {
      if (getComputedStyle(each).overflow === "visible") continue;
      const box = each.getBoundingClientRect();
      left = Math.max(left, box.left);
      top = Math.max(top, box.top);
      right = Math.min(right, box.right);
      bottom = Math.min(bottom, box.bottom);
    }
    return { left, top, right, bottom, width: right - left, height: bottom - top };
  };
  const named = (node) =>
    `<${node.localName} class="${node.className}"> "${node.textContent.trim().replace(/\s+/g, " ").slice(0, 30)}"`;

  const found = [];
  const shown = [root, ...all(root.shadowRoot ?? root)].filter(isShown);
  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth) found.push(`the page is ${page.scrollWidth} wide`);
  for (const node of shown) {
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const { overflowX, textOverflow } = getComputedStyle(node);
    if (node.scrollWidth > node.clientWidth + SLACK && node.clientWidth) {
      if (["auto", "scroll"].includes(overflowX)) found.push(`${named(node)} scrolls sideways`);
      if (overflowX === "hidden" && textOverflow !== "ellipsis" && node.localName !== "ha-card") {
        found.push(`${named(node)} is cut off`);
      }
    }
    if (box.left < -SLACK || box.right > innerWidth + SLACK) found.push(`${named(node)} is beside the page`);
    if (node.matches("button, a, label.option, input:not([type=checkbox])")) {
      if (box.width < TARGET || box.height < TARGET) {
        found.push(`${named(node)} is ${Math.round(box.width)} x ${Math.round(box.height)}`);
      }
    }
  }

  // Texts lie in their buttons, and over no other text.
  const texts = shown.flatMap((node) =>
    [...node.childNodes]
      .filter((child) => child.nodeType === Node.TEXT_NODE && child.data.trim())
      .flatMap((child) => {
        const range = document.createRange();
        range.selectNodeContents(child);
        return [...range.getClientRects()].map((rect) => ({ node, rect: cut(rect, node), whole: rect }));
      }),
  );
  for (const { node, whole } of texts) {
    const box = node.closest("button")?.getBoundingClientRect();
    if (!box) continue;
    if (
      whole.left < box.left - SLACK || whole.right > box.right + SLACK ||
      whole.top < box.top - SLACK || whole.bottom > box.bottom + SLACK
    ) {
      found.push(`${named(node)} is larger than its button`);
    }
  }
  texts.forEach(({ node, rect }, index) => {
    for (const other of texts.slice(index + 1)) {
      if (other.node === node || sticky(node) !== sticky(other.node)) continue;
      const width = Math.min(rect.right, other.rect.right) - Math.max(rect.left, other.rect.left);
      const height = Math.min(rect.bottom, other.rect.bottom) - Math.max(rect.top, other.rect.top);
      // Lines of text have some air above and below.
      if (width > SLACK && height > rect.height / 3) {
        found.push(`${named(node)} lies over ${named(other.node)}`);
      }
    }
  });
  return [...new Set(found)];
}
