/**
 * Reads plans from the engine, within the limits of a question: as rendered rows, or as values. Every query of a page
 * goes through here; whole results are streams of their own (`whole.ts`).
 */
import type { Engine, EngineQuery, EngineSettings } from '../engine/index.js';
import type { NewestRows } from './newest-rows.js';
import type { FramesPlan, Plan, RowsPlan, StepsPlan } from './plan.js';
import { readSettings } from './read-settings.js';
import { rowTemplate } from './row-text.js';
import type { Statement } from './sql-writer.js';
import { enter } from './stages.js';

/** Writes a plan down; perhaps twice, with its bound and without. */
export type Write<P extends Plan> = (plan: P) => Statement;

/** How a plan is read, besides its statement. */
export type Asked = Pick<EngineQuery, 'signal' | 'settings' | 'begun'>;

/** Reads plans. */
export class Reader {
  constructor(
    private readonly engine: Pick<Engine, 'query'>,
    private readonly newestRows: NewestRows,
    private readonly limits: EngineSettings,
  ) {}

  /** Rows as pages print them, with commas between; `template` says what stands around them. */
  async rendered<P extends RowsPlan | StepsPlan | FramesPlan>(
    plan: P,
    write: Write<P>,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholder, not ours
    { template = '${data}', settings, ...asked }: Asked & { readonly template?: string },
  ): Promise<Uint8Array> {
    const rows = await this.read(plan, write, {
      ...asked,
      format: 'Template',
      settings: {
        format_template_row_format: rowTemplate(plan.fields),
        format_template_rows_between_delimiter: ',',
        format_template_resultset_format: template,
        output_format_json_quote_64bit_integers: 0,
        output_format_json_escape_forward_slashes: 0,
        ...settings,
      },
    });
    enter('render');
    return rows;
  }

  /** Rows as values; numbers of 64 bits are texts. */
  async values<P extends Plan>(
    plan: P,
    write: Write<P>,
    { settings, ...asked }: Asked,
  ): Promise<readonly (readonly unknown[])[]> {
    const bytes = await this.read(plan, write, {
      ...asked,
      format: 'JSONCompactEachRow',
      settings: { output_format_json_quote_64bit_integers: 1, ...settings },
    });
    const lines = Buffer.from(bytes).toString('utf8').trimEnd().replaceAll('\n', ',');
    return JSON.parse(`[${lines}]`) as unknown[][];
  }

  private read<P extends Plan>(
    plan: P,
    write: Write<P>,
    { settings, ...asked }: Asked & Pick<EngineQuery, 'format'>,
  ): Promise<Uint8Array> {
    const all = { ...this.limits, ...readSettings(plan), ...settings };
    return this.newestRows.of(plan, (written) =>
      this.engine.query({ account: plan.accountId, ...write(written), ...asked, settings: all }),
    );
  }
}
