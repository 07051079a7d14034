// openapi.mjs - the daemon's own OpenAPI document as a judge of its answers.

import assert from 'node:assert/strict';

import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';

const METHODS = ['get', 'post', 'patch', 'put', 'delete'];

/** A copy in which an object may have only the members that are described: what is answered is described, all of it. */
function closed(schema) {
    if (Array.isArray(schema))
        return schema.map(closed);
    if (schema === null || typeof schema !== 'object')
        return schema;
    const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) =>
        [name, ['examples', 'example', 'default', 'enum', 'const'].includes(name) ? value : closed(value)]));
    if (copy.type === 'object' && copy.properties !== undefined && copy.additionalProperties === undefined)
        copy.additionalProperties = false;
    return copy;
}

/** As a schema of its own: references lead to the schema "document". */
function prepared(schema) {
    return JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/components/schemas/', '"document#/$defs/'));
}

export class Openapi {
    constructor(document) {
        this.document = document;
        this.ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: false,
            allowUnionTypes: true });
        addFormats.default(this.ajv);
        for (const word of ['x-live', 'x-unit', 'x-group'])
            this.ajv.addKeyword(word);
        this.ajv.addFormat('binary', true);
        this.ajv.addSchema({ $id: 'document', $defs: prepared(document.components.schemas) });
        this.checks = new Map();
    }

    static async of(daemon) {
        return new Openapi((await daemon.json('GET', '/api/v1/openapi.json')).body);
    }

    /** What a {"$ref": "#/…"} stands for; anything else is itself. */
    resolve(item) {
        if (item?.$ref === undefined)
            return item;
        return this.resolve(item.$ref.slice(2).split('/').reduce((at, name) => at[name], this.document));
    }

    /** All operations: { method, path, operation }. */
    operations() {
        return Object.entries(this.document.paths).flatMap(([path, item]) =>
            METHODS.filter((method) => item[method] !== undefined).map((method) =>
                ({ method: method.toUpperCase(), path, operation: item[method] })));
    }

    operation(id) {
        const found = this.operations().find(({ operation }) => operation.operationId === id);
        assert.ok(found, `no operation is called ${id}`);
        return found;
    }

    /** Whether the value is as the schema says: null, or a sentence. */
    problem(schema, value) {
        const key = JSON.stringify(schema);
        if (!this.checks.has(key)) {
            this.checks.set(key, this.ajv.compile(prepared(schema)));
        }
        const check = this.checks.get(key);
        return check(value) ? null : this.ajv.errorsText(check.errors, { dataVar: 'value' });
    }

    /** The answer { status, headers, text } of an operation is one that the document describes. */
    check(id, answer) {
        const { operation } = this.operation(id);
        const described = this.resolve(operation.responses[answer.status]);
        assert.ok(described, `${id}: the status ${answer.status} is not described: ${answer.text.slice(0, 300)}`);
        for (const [name, header] of Object.entries(described.headers ?? {})) {
            const { required, schema } = this.resolve(header), value = answer.headers.get(name);
            assert.ok(value !== null || !required, `${id}: no ${name}`);
            if (value !== null)
                assert.equal(this.problem(schema, value), null, `${id}: ${name}`);
        }
        if (described.content === undefined)
            return assert.equal(answer.text, '', `${id}: ${answer.status} has no body`);
        const type = (answer.headers.get('content-type') ?? '').replace(/;.*/, ''), media = described.content[type];
        assert.ok(media, `${id}: the type "${type}" of a ${answer.status} is not described`);
        const value = type.endsWith('json') ? JSON.parse(answer.text) : answer.text;
        const problem = this.problem(media.schema, value);
        assert.equal(problem, null, `${id}: ${problem}: ${answer.text.slice(0, 300)}`);
    }
}
