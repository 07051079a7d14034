/* refresh.js - an answer of the server that is kept fresh: asked for when it may be another, one question at a time, and
 * only while somebody looks. */

export class Refresh {
    #stale = true;
    #asking = false;

    /**
     * @param {object} how
     * @param {number} how.every ms between two questions
     * @param {() => boolean} how.seen somebody looks
     * @param {() => boolean} how.moving it changes all the time: ask again and again
     * @param {() => Promise<boolean>} how.ask false: nobody answered, ask again at the next turn
     */
    constructor({ every, seen, moving, ask }) {
        this.seen = seen;
        this.moving = moving;
        this.ask = ask;
        setInterval(() => this.#look(this.moving()), every);
    }

    /** The answer may be another now. */
    stale() {
        this.#stale = true;
        this.#look(false);
    }

    /** It can be seen now. */
    look() {
        this.#look(false);
    }

    /** @param {boolean} again */
    async #look(again) {
        if (this.#asking || !(this.#stale || again) || !this.seen()) return;
        this.#asking = true;
        this.#stale = false;
        const answered = await this.ask();
        this.#asking = false;
        if (this.#stale) this.#look(false);
        else this.#stale = !answered;
    }
}
