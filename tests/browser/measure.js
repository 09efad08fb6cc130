// Measures a page as a person meets it; gives a list of what is wrong.
() => {
  const wrong = [];
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { r: parts[0], g: parts[1], b: parts[2], a: parts.length > 3 ? parts[3] : 1 };
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [hi, lo] = [light(one), light(other)].sort((x, y) => y - x);
    return (hi + 0.05) / (lo + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a > 0) return wrong.push(`translucent background: ${at.className}`), colour;
    }
    return { r: 255, g: 255, b: 255, a: 1 };
  };
  const visible = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && element.checkVisibility({ visibilityProperty: true });
  };

  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, text = node.data.trim();
    if (!text || !visible(element) || element.closest(".unseen")) continue;
    seen += 1;
    const style = getComputedStyle(element);
    if (parseFloat(style.fontSize) < 16) wrong.push(`${style.fontSize}: ${text}`);
    const ratio = contrast(parse(style.color), ground(element));
    if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${text}`);
    const box = element.getBoundingClientRect();
    if (box.left < 0 || box.right > innerWidth + 0.5) wrong.push(`outside: ${text}`);
  }
  if (seen < 3) wrong.push("there is hardly any text");

  for (const element of document.querySelectorAll("a, button, summary, input")) {
    const target = element.type === "checkbox" ? element.closest("label") : element;
    if (!visible(target)) continue;
    const box = target.getBoundingClientRect();
    if (box.height < 44 || box.width < 44) wrong.push(`target ${box.width}×${box.height}: ${element.textContent}`);
  }
  for (const field of document.querySelectorAll("input")) {
    if (!field.labels.length) wrong.push(`no label: ${field.name}`);
    if (field.type === "checkbox") continue;
    const ratio = contrast(parse(getComputedStyle(field).borderTopColor), ground(field.parentElement));
    if (ratio < 3) wrong.push(`border of ${field.name}: ${ratio.toFixed(2)}`);
  }
  for (const icon of document.querySelectorAll("svg")) {
    const ratio = contrast(parse(getComputedStyle(icon).color), ground(icon));
    if (ratio < 3) wrong.push(`icon: ${ratio.toFixed(2)}`);
    if (icon.getAttribute("aria-hidden") !== "true") wrong.push("an icon is read aloud");
  }
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one heading");
  return wrong;
}
