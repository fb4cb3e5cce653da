// Steps that can be taken back and again: each is a whole state that nobody changes afterwards.
export const KEPT = 100;

export class Steps {
  constructor(first) { this.past = []; this.now = first; this.future = []; this.fallen = 0; }

  // False when the oldest step fell away: a hundred are kept.
  take(next) {
    this.past.push(this.now);
    this.now = next;
    this.future = [];
    if (this.past.length <= KEPT) return true;
    this.past.shift();
    this.fallen++;
    return false;
  }

  back() {
    if (!this.past.length) return false;
    this.future.push(this.now);
    this.now = this.past.pop();
    return true;
  }

  again() {
    if (!this.future.length) return false;
    this.past.push(this.now);
    this.now = this.future.pop();
    return true;
  }

  // What was learned afterwards about a step that is taken already, such as where exactly its corner lies: every state
  // that has it is put right, and no step is made of it. `change` gives the state itself where nothing concerns it;
  // `renamed(before, after)` hears of those that it changed. True when the present one is among them.
  amend(change, renamed = () => {}) {
    const put = (state) => {
      const made = change(state);
      if (made !== state) renamed(state, made);
      return made;
    };
    const before = this.now;
    this.past = this.past.map(put);
    this.now = put(this.now);
    this.future = this.future.map(put);
    return this.now !== before;
  }
}
