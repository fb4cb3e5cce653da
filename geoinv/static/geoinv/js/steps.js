// Steps that can be taken back and again: each is a whole state that nobody changes afterwards.
const KEPT = 200;

export class Steps {
  constructor(first) { this.past = []; this.now = first; this.future = []; }

  take(next) {
    this.past.push(this.now);
    if (this.past.length > KEPT) this.past.shift();
    this.now = next;
    this.future = [];
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
}
