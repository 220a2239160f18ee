import busboy from 'busboy';
import { digest } from './text.ts';
import type { Call } from './reply.ts';

/** A file that was uploaded. */
export interface UploadedFile {
  readonly field: string;
  readonly filename: string;
  readonly mimeType: string;
  readonly size: number;
  readonly sha256: string;
}

/** A multipart form. */
export interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: readonly UploadedFile[];
}

/** Reads a multipart body; rejects when it is none, or is cut short. */
export function readForm(call: Call): Promise<Form> {
  return new Promise((resolve, reject) => {
    const fields = new Map<string, string>();
    const files: UploadedFile[] = [];
    const parser = busboy({ headers: call.headers, defParamCharset: 'utf8' });
    parser.on('field', (name, value) => fields.set(name, value));
    parser.on('file', (field, stream, { filename = '', mimeType }) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => {
        const content = Buffer.concat(chunks);
        files.push({ field, filename, mimeType, size: content.length, sha256: digest(content, 64) });
      });
    });
    parser.on('error', reject);
    parser.on('close', () => resolve({ fields, files }));
    parser.end(call.body);
  });
}

/** One line on a file, as the simulated transcription tells it. */
export function describeFile(file: UploadedFile): string {
  return `Received ${file.filename} (${file.mimeType}, ${file.size} bytes, sha256 ${file.sha256}).`;
}
