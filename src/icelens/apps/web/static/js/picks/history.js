// Edits that can be undone and done again.

/** Add, move and delete picks; every step remembers how to go back. */
export class History {
  /** `onChange()` is called after every step. */
  constructor(picks, onChange) {
    this.picks = picks;
    this.onChange = onChange;
    this.done = [];
    this.undone = [];
  }

  get isChanged() {
    return this.done.length > 0;
  }

  add(kind, position) {
    const row = this.picks.add(kind, position);
    this.record({
      again: () => this.picks.setDeleted(row, false),
      back: () => this.picks.setDeleted(row, true),
    });
    return row;
  }

  remove(row) {
    this.picks.setDeleted(row, true);
    this.record({
      again: () => this.picks.setDeleted(row, true),
      back: () => this.picks.setDeleted(row, false),
    });
  }

  /** Note a move that was shown while the pointer was down; `wasMoved` says if it was not the first. */
  moved(row, from, to, wasMoved) {
    this.picks.move(row, to);
    this.record({
      again: () => this.picks.move(row, to),
      back: () => {
        this.picks.move(row, from);
        if (!wasMoved) this.picks.moved.delete(row);
      },
    });
  }

  record(step) {
    this.done.push(step);
    this.undone = [];
    this.onChange();
  }

  undo() {
    const step = this.done.pop();
    if (!step) return;
    step.back();
    this.undone.push(step);
    this.onChange();
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return;
    step.again();
    this.done.push(step);
    this.onChange();
  }
}
