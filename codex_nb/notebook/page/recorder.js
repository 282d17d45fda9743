// The widget: one tape, and a view wherever the notebook shows it.
export default () => {
  let tape;
  return {
    initialize({ model }) {
      tape = new Tape(model);
      return () => tape.close();
    },
    render({ model, el }) {
      const view = new View(tape, el, model);
      return () => view.close();
    },
  };
};
