/**
 * A question in JupyterLab. Choices are buttons, a number is typed; what is said to an answer is read out. The right
 * answer unfolds the result: the output of the next cell with code, which the notebook keeps folded until then.
 */

const FOLDED = "mf-folded";

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The next cell with code below the one that holds `el`, if JupyterLab has it on the page. */
function resultOf(el) {
  let cell = el.closest(".jp-Cell")?.nextElementSibling;
  while (cell && !cell.matches(".jp-CodeCell")) cell = cell.nextElementSibling;
  return cell;
}

/** Keep the result folded, whether it was run or not, until the function that comes back is called. */
function fold(el) {
  // JupyterLab shows what a cell prints whenever it runs, and has no more than what is near the window on the page.
  const seen = new IntersectionObserver(() => resultOf(el)?.classList.add(FOLDED));
  seen.observe(el);
  return () => {
    seen.disconnect();
    const cell = resultOf(el);
    cell?.classList.remove(FOLDED);
    cell?.querySelector(".jp-OutputPlaceholder")?.click();
  };
}

/** What is said to a number. */
export function judged(number, { value, within, because, slips }) {
  if (Math.abs(number - value) <= within) return [true, `Yes. ${because}`];
  const slip = slips.find(([wrong]) => Math.abs(number - wrong) <= within);
  return [false, slip ? `No. ${slip[1]}` : `No, that is too ${number < value ? "small" : "large"}.`];
}

function render({ model, el }) {
  const question = model.get("question");
  const said = element("p", { class: "mf-said", role: "status" });
  const root = element("section", { class: "mf-predict", "aria-label": "Your prediction" });
  const unfold = fold(el);
  const answered = (right, words) => {
    said.textContent = words;
    if (right) unfold();
  };
  root.append(...(question.choices ? choices(question, answered) : number(question, answered)), said);
  // A key on a control is not one for JupyterLab, which would move to another cell, or add one.
  root.addEventListener("keydown", (event) => event.ctrlKey || event.metaKey || event.stopPropagation());
  el.replaceChildren(root);
  return unfold; // when the question goes
}

function choices({ choices, right }, answered) {
  const buttons = choices.map(([words, reply]) => {
    const made = element("button", { type: "button", "aria-pressed": "false" }, words);
    made.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === made));
      made.dataset.answer = words === right ? "right" : "wrong";
      answered(words === right, reply);
    });
    return made;
  });
  return buttons;
}

function number(question, answered) {
  const input = element("input", { type: "number", step: "any", "aria-label": "a number" });
  const form = element("form", {}, input, element("button", { type: "submit" }, "Is it right?"));
  const give = element("button", { type: "button", hidden: "" }, "Tell me");
  form.append(give);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (Number.isNaN(input.valueAsNumber)) return;
    const [right, words] = judged(input.valueAsNumber, question);
    give.hidden = right;
    answered(right, words);
  });
  give.addEventListener("click", () => {
    give.hidden = true;
    answered(true, `It is ${question.value}. ${question.because}`);
  });
  return [form];
}

export default { render };
