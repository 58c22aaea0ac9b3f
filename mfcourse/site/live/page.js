/** Brings the demos of a page to life: every element of class mf-live names its demo in data-demo. */

const data = await (await fetch(new URL("data.json", import.meta.url))).json();

for (const el of document.querySelectorAll(".mf-live")) {
  const { default: demo } = await import(`./${el.dataset.demo}.js`);
  demo.render({ model: { get: () => data[el.dataset.demo] }, el });
}
