// The API's only door: JSON in, JSON out, problems as errors with the server's own words.
export interface Problem {
  title: string;
  status: number;
  detail?: string;
  field?: string;
  cure?: string;
  id?: string;
}

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

export async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new ApiError({ title: 'The server does not answer', status: 0, cure: 'Check the network, then try again.' });
  }
  const text = await answer.text();
  if (answer.ok) return (text ? JSON.parse(text) : undefined) as T;
  let problem: Problem = { title: `The server answered ${answer.status}`, status: answer.status };
  try {
    problem = { ...problem, ...(JSON.parse(text) as Partial<Problem>) };
  } catch {
    // not ours: a proxy's page
  }
  throw new ApiError(problem);
}

export const segment = encodeURIComponent;
