// The proof beside the figures: larger, smaller, turned by a quarter. It scrolls inside its frame.
const proof = document.querySelector("[data-proof]");
const STEP = 1.25;
const state = { zoom: 1, turns: 0 };

function draw(frame, sheet, picture) {
  const lies = state.turns % 2 === 1;
  const [width, height] = lies
    ? [picture.naturalHeight, picture.naturalWidth]
    : [picture.naturalWidth, picture.naturalHeight];
  const scale = Math.min(1, frame.clientWidth / width) * state.zoom;
  sheet.style.width = `${width * scale}px`;
  sheet.style.height = `${height * scale}px`;
  picture.style.width = `${picture.naturalWidth * scale}px`;
  picture.style.transform = `translate(-50%, -50%) rotate(${state.turns * 90}deg)`;
}

function use(tool) {
  if (tool === "in") state.zoom = Math.min(state.zoom * STEP, 8);
  if (tool === "out") state.zoom = Math.max(state.zoom / STEP, 0.2);
  if (tool === "turn") state.turns = (state.turns + 1) % 4;
}

function begin() {
  const frame = proof.querySelector(".check-frame");
  const sheet = proof.querySelector(".check-sheet");
  const picture = sheet.querySelector("img");
  const redraw = () => picture.naturalWidth && draw(frame, sheet, picture);
  picture.addEventListener("load", redraw);
  picture.addEventListener("error", () => {
    frame.hidden = true;
    proof.querySelector("[data-missing]").hidden = false;
  });
  new ResizeObserver(redraw).observe(frame);
  for (const button of proof.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => {
      use(button.dataset.tool);
      redraw();
    });
  }
  document.addEventListener("keydown", (event) => {
    const tool = { "+": "in", "-": "out", o: "turn", O: "turn" }[event.key];
    const isTyped = event.target.matches("textarea, select, input") || document.querySelector("dialog[open]");
    if (!tool || isTyped || event.ctrlKey || event.metaKey || event.altKey) return;
    use(tool);
    redraw();
  });
  redraw();
}

if (proof) begin();
