/* replay.mjs - a run that never was, told to the real pages: hours of points in seconds. Everything that is not about the
 * run is the real daemon's. */
import http from 'node:http';

const LAYERS = 3;
const FIELDS = ['positive', 'negative', 'positive_low', 'positive_high', 'negative_low', 'negative_high', 'loss', 'accuracy'];

/** What a figure is at a step: it drifts and trembles, the same at every call. */
function valueAt(field, layer, step) {
    const noise = Math.sin(step * 12.9898 + layer * 78.233 + FIELDS.indexOf(field)) * 0.05;
    const gap = 1 - Math.exp(-step / 20000);
    const sign = field.startsWith('negative') ? -1 : 1;
    const spread = field.endsWith('_low') ? -0.3 : field.endsWith('_high') ? 0.3 : 0;
    return 1 + layer * 0.1 + sign * gap * 0.4 + spread + noise;
}

export class Replay {
    #streams = new Set();
    #sent = 0;

    /** @param {string} daemon its address @param {number} steps of the run, a point a step, ten a second */
    constructor(daemon, steps) {
        this.daemon = daemon;
        this.steps = steps;
        this.stored = 0; /* steps whose points are there when the page is loaded */
        this.server = http.createServer((request, response) => this.#answer(request, response));
    }

    async open() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
    }

    close() {
        this.server.closeAllConnections();
        this.server.close();
    }

    get run() {
        return {
            id: 1, name: 'replayed', notes: '', tags: [], state: 'running', pending: null, reason: null, preset: null,
            created: '2026-01-01T00:00:00Z', started: '2026-01-01T00:00:00Z', ended: null,
            progress: {
                epoch: Math.ceil(this.stored / 100), epochs: this.steps / 100, step: this.stored, steps: this.steps,
                elapsed: this.stored / 10, remaining: (this.steps - this.stored) / 10, samples_per_second: 1000,
                evaluating: 0,
            },
            best: null, last: null, changes: [], parameters: 1000, warnings: [],
            config: {
                dataset: 'mnist', seed: 1, layers: [100, 100, 100], objective: 'logistic', rule: 'pairs', threshold: 1,
                predict_from: 0,
            },
        };
    }

    /** The points after one step, up to another. */
    points(after, last) {
        const steps = Array.from({ length: Math.max(0, last - after) }, (_, i) => after + 1 + i);
        const column = (field, layer) => steps.map((step) => valueAt(field, layer, step));
        return {
            run: 1, steps, epochs: steps.map((step) => step / 100), elapsed: steps.map((step) => step / 10),
            layers: Array.from({ length: LAYERS }, (_, layer) => ({
                layer, ...Object.fromEntries(FIELDS.map((field) => [field, column(field, layer)])),
            })),
            next: last, downsampled: false,
        };
    }

    /** Tell the next points on the stream. */
    tell(count) {
        const last = Math.min(this.steps, this.#sent + count);
        const text = `event: points\nid: ${last}\ndata: ${JSON.stringify(this.points(this.#sent, last))}\n\n`;
        this.#sent = last;
        this.stored = last;
        for (const stream of this.#streams) stream.write(text);
        return last;
    }

    /** So many steps are done and stored before anybody looks. */
    begin(stored) {
        this.#sent = this.stored = stored;
    }

    #json(response, body, status = 200) {
        response.writeHead(status, { 'Content-Type': status === 200 ? 'application/json' : 'application/problem+json' });
        response.end(JSON.stringify(body));
    }

    #answer(request, response) {
        const { pathname, searchParams } = new URL(request.url, this.url);
        if (pathname === '/api/v1/events') return this.#stream(response);
        if (pathname === '/api/v1/runs') return this.#json(response, { runs: [this.run], next: null });
        if (pathname === '/api/v1/runs/1') return this.#json(response, this.run);
        if (pathname === '/api/v1/runs/1/epochs') return this.#json(response, { epochs: [] });
        if (pathname === '/api/v1/runs/1/metrics')
            return this.#json(response, this.points(Number(searchParams.get('after') ?? 0), this.stored));
        if (pathname.startsWith('/api/v1/runs/1/'))
            return this.#json(response, { status: 404, title: 'Not Found', detail: 'it is only replayed' }, 404);
        return this.#pass(request, response);
    }

    #stream(response) {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(`event: state\nid: 0\ndata: ${JSON.stringify(this.run)}\n\n`);
        this.#streams.add(response);
        response.on('close', () => this.#streams.delete(response));
    }

    #pass(request, response) {
        const headers = { ...request.headers, host: new URL(this.daemon).host };
        const onward = http.request(this.daemon + request.url, { method: request.method, headers }, (answer) => {
            response.writeHead(answer.statusCode, answer.headers);
            answer.pipe(response);
        });
        onward.on('error', () => response.destroy());
        request.pipe(onward);
    }
}

/** Bytes in use on the page after everything unused was thrown away, and the nodes of its document. */
export async function memoryOf(cdp) {
    for (let i = 0; i < 3; i++) await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    const { nodes } = await cdp.send('Memory.getDOMCounters');
    return { bytes: usedSize, nodes };
}
